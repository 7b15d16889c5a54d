import { beforeEach, describe, expect, it } from 'vitest';
import { containerOf, dot, dots, textsOf } from '../core/causality/causality-builders.ts';
import { dotsOf } from '../core/causality/container.ts';
import { dotsIn } from '../core/causality/dot-set.ts';
import { type HintedWrites, hintedWrites } from '../core/causality/hinted-writes.ts';
import { epoch, memberNumber, type ObjectKey, objectKey, partition } from '../core/ids.ts';
import { openTestStore, type TestStore } from '../storage/storage-builders.ts';
import { HintStore, type KeptHint } from './hint-store.ts';

const [a, b] = [memberNumber(2), memberNumber(3)];
const key = (name: string): ObjectKey => objectKey('b', name);
const at = (name: string) => ({ epoch: epoch(1), partition: partition(4), key: key(name) });
/** The write with that dot, which overwrote the others. */
const write = (text: string, ...covered: string[]): HintedWrites =>
  hintedWrites(containerOf([dot(text)], dots(...covered)), dots(text));
const ROOM = 100_000;

let test: TestStore;
let hints: HintStore;
const mustHold = (target: typeof a, name: string): KeptHint => {
  const hint = hints.hint(target, key(name));
  if (hint === undefined) throw new Error(`no hint for ${name}`);
  return hint;
};
/** As after a restart. */
const again = (): HintStore => new HintStore(test.store, test.clock, ROOM);

beforeEach(async () => {
  test = await openTestStore();
  hints = new HintStore(test.store, test.clock, ROOM);
});

describe('the hints of a node', () => {
  it('hold one merged record per owner and key', () => {
    hints.keep(a, at('k'), write('1.1.1'), 'counted');
    hints.keep(a, at('k'), write('1.1.2', '1.1.1'), 'counted');
    hints.keep(b, at('k'), write('1.1.1'), 'counted');
    expect(hints.totals().map(({ target, count }) => [target, count])).toEqual([
      [a, 1],
      [b, 1],
    ]);
    expect(textsOf(dotsIn(mustHold(a, 'k').dots))).toEqual(['1.1.1', '1.1.2']);
    expect(textsOf(dotsIn(dotsOf(mustHold(a, 'k').container)))).toEqual(['1.1.2']);
    expect(test.store.metaWithPrefix('hint/')).toHaveLength(2);
  });

  it('are found again after a restart, the oldest first (H16)', () => {
    for (const name of ['z', 'm', 'c']) {
      hints.keep(a, at(name), write('1.1.1'), 'counted');
      test.clock.advance(10);
    }
    hints.keep(a, at('z'), write('1.1.2'), 'counted');
    const found = again();
    expect([...found.keysFor(a)]).toEqual(['z', 'm', 'c'].map(key));
    expect(found.bytes).toBe(hints.bytes);
    expect(found.totals()).toEqual(hints.totals());
    expect(textsOf(dotsIn(found.hint(a, key('z'))?.dots ?? []))).toEqual(['1.1.1', '1.1.2']);
    expect(found.hint(a, key('z'))?.partition).toBe(partition(4));
  });

  it('answer for a key with all that is kept of it, for whomever', () => {
    hints.keep(a, at('k'), write('1.1.1'), 'counted');
    hints.keep(b, at('k'), write('2.1.1'), 'surplus');
    expect(textsOf(dotsIn(dotsOf(hints.held(key('k'))?.container ?? containerOf([]))))).toEqual(['1.1.1', '2.1.1']);
    expect(hints.held(key('k'))?.sequence).toBe(mustHold(b, 'k').sequence);
    expect(hints.held(key('other'))).toBeUndefined();
  });

  it('stay as they are when a message comes twice', () => {
    const first = hints.keep(a, at('k'), write('1.1.1'), 'counted');
    expect(hints.keep(a, at('k'), write('1.1.1'), 'counted')).toBe(first);
    expect(mustHold(a, 'k').sequence).toBe(first);
  });

  it('go when they were delivered, for good', () => {
    hints.keep(a, at('k'), write('1.1.1'), 'counted');
    expect(hints.delivered(mustHold(a, 'k'))).toBe(true);
    expect([hints.count, hints.bytes, hints.removed, hints.totals()]).toEqual([0, 0, 1, []]);
    expect(hints.held(key('k'))).toBeUndefined();
    expect(again().count).toBe(0);
  });

  it('stay when they have changed since they were sent (H17)', () => {
    hints.keep(a, at('k'), write('1.1.1'), 'counted');
    const sent = mustHold(a, 'k');
    hints.keep(a, at('k'), write('1.1.2'), 'counted');
    expect(hints.delivered(sent)).toBe(false);
    expect(textsOf(dotsIn(mustHold(a, 'k').dots))).toEqual(['1.1.1', '1.1.2']);
    expect(again().count).toBe(1);
  });

  it('that were loaded count as changed once something is merged into them', () => {
    hints.keep(a, at('k'), write('1.1.1'), 'counted');
    hints = again();
    const sent = mustHold(a, 'k');
    hints.keep(a, at('k'), write('1.1.2'), 'counted');
    expect(hints.delivered(sent)).toBe(false);
  });

  it('are neither kept nor removed once the node is stopping', () => {
    hints.keep(a, at('k'), write('1.1.1'), 'counted');
    const hint = mustHold(a, 'k');
    hints.close();
    expect(hints.keep(a, at('other'), write('1.1.2'), 'counted')).toBeUndefined();
    expect(hints.delivered(hint)).toBe(false);
    expect(again().count).toBe(1);
  });

  it('that are damaged are an error, never an absence', () => {
    hints.keep(a, at('k'), write('1.1.1'), 'counted');
    test.store.applyMeta([{ key: `hint/${a}/${key('k')}`, value: Uint8Array.of(9) }]);
    expect(() => hints.held(key('k'))).toThrow('a damaged hint');
    expect(() => again()).toThrow('a damaged hint');
    test.store.applyMeta([{ key: `hint/${a}/${key('k')}`, value: undefined }]);
    expect(() => hints.held(key('k'))).toThrow('is gone');
  });
});

describe('room for hints', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `k${i}`);

  it('is bounded: at the limit more are refused, and none goes (H18)', () => {
    const small = new HintStore(test.store, test.clock, 3000);
    const kept = names.filter((name) => small.keep(a, at(name), write('1.1.1'), 'counted') !== undefined);
    expect(kept.length).toBeGreaterThan(5);
    expect(small.count).toBe(kept.length);
    expect(small.bytes).toBeLessThanOrEqual(3000);
    expect(small.refused).toBe(names.length - kept.length);
    expect([...small.keysFor(a)]).toEqual(kept.map(key));
    expect(again().count).toBe(kept.length);
  });

  it('is left to those that count: surplus ones take half of it at most', () => {
    const small = new HintStore(test.store, test.clock, 3000);
    for (const name of names) small.keepSurplus(b, at(name), write('1.1.1'));
    expect(small.bytes).toBeGreaterThan(1000);
    expect(small.bytes).toBeLessThanOrEqual(1500);
    expect(small.keep(a, at('more'), write('1.1.1'), 'counted')).toBeDefined();
  });

  it('is there again once hints were delivered', () => {
    const small = new HintStore(test.store, test.clock, 600);
    small.keep(a, at('k'), write('1.1.1'), 'counted');
    small.keep(a, at('l'), write('1.1.1'), 'counted');
    expect(small.keep(a, at('m'), write('1.1.1'), 'counted')).toBeUndefined();
    const hint = small.hint(a, key('k'));
    if (hint !== undefined) small.delivered(hint);
    expect(small.keep(a, at('m'), write('1.1.1'), 'counted')).toBeDefined();
  });

  it('a surplus hint that comes to count is no longer surplus, also after a restart', () => {
    const first = hints.keep(a, at('k'), write('1.1.1'), 'surplus');
    expect(hints.keep(a, at('k'), write('1.1.1'), 'counted')).toBeGreaterThan(first ?? 0);
    const record = test.store.meta(`hint/${a}/${key('k')}`);
    hints.keep(a, at('k'), write('1.1.1'), 'surplus');
    expect(test.store.meta(`hint/${a}/${key('k')}`)).toEqual(record);
  });
});
