import { describe, expect, it } from 'vitest';
import { nodeId } from '../core/ids.ts';
import { SeenRequests } from './seen-requests.ts';

const request = (id: number, nonce = 1, from = 'n1') => ({ from: nodeId(from), nonce, id });

describe('seen requests', () => {
  it('take each request once, in whatever order they come', () => {
    const seen = new SeenRequests();
    expect([5, 3, 5, 4, 3].map((id) => seen.isNew(request(id)))).toEqual([true, true, false, true, false]);
  });

  it('tell peers and their lives apart', () => {
    const seen = new SeenRequests();
    expect(seen.isNew(request(1))).toBe(true);
    expect(seen.isNew(request(1, 2))).toBe(true);
    expect(seen.isNew(request(1, 1, 'n2'))).toBe(true);
    expect(seen.isNew(request(1))).toBe(false);
  });

  it('remember a bounded number, and take what is older for a repetition', () => {
    const seen = new SeenRequests();
    for (let id = 1; id <= 100_000; id++) expect(seen.isNew(request(id))).toBe(true);
    expect(seen.isNew(request(1))).toBe(false);
    expect(seen.isNew(request(99_000))).toBe(false);
    expect(seen.isNew(request(100_001))).toBe(true);
  });
});
