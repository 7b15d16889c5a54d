import { describe, expect, it } from 'vitest';
import { DeliveryWindow } from './delivery-window.ts';

describe('the delivery window', () => {
  it('grows while nothing else is under way, up to its limit', () => {
    const window = new DeliveryWindow();
    for (let i = 0; i < 100; i++) window.adapt(0);
    expect(window.size).toBe(16);
    expect([window.admits(15), window.admits(16)]).toEqual([true, false]);
  });

  it('halves with each look that finds requests under way, and never closes (H20)', () => {
    const window = new DeliveryWindow();
    for (let i = 0; i < 100; i++) window.adapt(0);
    const sizes = [1, 1, 1, 1, 1, 1].map((foreground) => {
      window.adapt(foreground);
      return window.size;
    });
    expect(sizes).toEqual([8, 4, 2, 1, 1, 1]);
    expect(window.admits(0)).toBe(true);
  });
});
