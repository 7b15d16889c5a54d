import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from './html.ts';
import { looksOf } from './palette.ts';
import { spread } from './plot.ts';

describe('labels beside each other', () => {
  it('are a gap apart, within their bounds, and in the order of what they name', () => {
    const wanted = fc.array(fc.double({ min: -50, max: 400, noNaN: true }), { maxLength: 10 });
    fc.assert(
      fc.property(wanted, (ys) => {
        const placed = spread(ys, 20, 0, 300);
        const order = ys.map((_, i) => i).sort((a, b) => (ys[a] ?? 0) - (ys[b] ?? 0));
        const sorted = order.map((i) => placed[i] ?? 0);
        for (const [i, y] of sorted.entries()) {
          expect(y).toBeLessThanOrEqual(300);
          if (i > 0) expect(y - (sorted[i - 1] ?? 0)).toBeGreaterThanOrEqual(20 - 1e-9);
        }
      }),
    );
  });

  it('stay where they are when there is room', () => {
    expect(spread([10, 200, 100], 20, 0, 300)).toEqual([10, 200, 100]);
  });
});

describe('markup', () => {
  it('escapes what is put into it, in text and in attributes', () => {
    const hostile = `<script>alert("1" & '2')</script>`;
    expect(html`<p title="${hostile}">${[hostile]}</p>`.text).not.toMatch(/<script|"1"|'2'/);
    expect(html`${'&lt;'}`.text).toBe('&amp;lt;');
  });

  it('keeps markup, rounds numbers to two decimals and leaves out what is undefined', () => {
    expect(html`<b>${html`<i>${1.23456}</i>`}${undefined}${[1, 'a']}</b>`.text).toBe('<b><i>1.23</i>1a</b>');
  });
});

describe('colours', () => {
  it('are those of the store, in any order', () => {
    const quorate = { name: 'a', store: 'quorate' };
    const etcd = { name: 'b', store: 'etcd' };
    expect(looksOf([quorate, etcd])).toEqual(looksOf([etcd, quorate]));
  });

  it('differ as long as there are enough', () => {
    const targets = ['quorate', 'quorate', 'etcd', 'consul', 'redis', 'memory'].map((store, i) => ({
      name: `${i}`,
      store,
    }));
    const slots = [...looksOf(targets).values()].map(({ slot }) => slot);
    expect(new Set(slots).size).toBe(targets.length);
  });

  it('are found for more targets than there are colours', () => {
    const targets = Array.from({ length: 20 }, (_, i) => ({ name: `${i}`, store: 'quorate' }));
    expect(looksOf(targets).size).toBe(20);
  });
});
