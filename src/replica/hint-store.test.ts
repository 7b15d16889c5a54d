import { beforeEach, describe, expect, it } from 'vitest';
import { containerOf, dot, dots, textsOf } from '../core/causality/causality-builders.ts';
import { dotsOf } from '../core/causality/container.ts';
import { dotsIn } from '../core/causality/dot-set.ts';
import { type HintedWrites, hintedWrites } from '../core/causality/hinted-writes.ts';
import { epoch, memberNumber, type ObjectKey, objectKey, partition } from '../core/ids.ts';
import { openTestStore, type TestStore } from '../storage/storage-builders.ts';
import { HINT_SET_ASIDE } from './damaged-hints.ts';
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
const again = (): HintStore => new HintStore(test.store, test.clock, ROOM, test.logger);

beforeEach(async () => {
  test = await openTestStore();
  hints = new HintStore(test.store, test.clock, ROOM, test.logger);
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
});

describe('a hint that cannot be read', () => {
  const recordOf = (name: string): string => `hint/${a}/${key(name)}`;
  const damage = (name: string): Uint8Array => {
    const before = Uint8Array.from(test.store.meta(recordOf(name)) ?? []);
    test.store.applyMeta([{ key: recordOf(name), value: Uint8Array.of(9) }]);
    return before;
  };
  const logged = () => test.logger.lines.filter(({ level }) => level === 'error').map(({ message }) => message);

  beforeEach(() => {
    for (const name of ['k', 'l', 'm']) hints.keep(a, at(name), write('1.1.1'), 'counted');
    hints.keep(b, at('l'), write('1.1.1'), 'counted');
  });

  it('is set aside and told of, and holds up no other (H21)', () => {
    damage('l');
    expect(hints.hint(a, key('l'))).toBeUndefined();
    expect([[...hints.keysFor(a)], hints.damaged.count]).toEqual([[key('k'), key('m')], 1]);
    expect(hints.totals()).toMatchObject([{ count: 2 }, { count: 1 }]);
    expect([hints.hint(a, key('l')), hints.hintsOf(key('l'))]).toMatchObject([undefined, [{ target: b }]]);
    expect(logged()).toEqual([HINT_SET_ASIDE]);
  });

  it('is found at the start as well, which it does not prevent', () => {
    damage('l');
    const found = again();
    expect([[...found.keysFor(a)], found.count, found.damaged.count]).toEqual([[key('k'), key('m')], 3, 1]);
    expect(logged()).toEqual([HINT_SET_ASIDE]);
  });

  it('is an error and never an absence, for its key alone (H1)', () => {
    damage('l');
    for (const store of [hints, again()]) {
      expect(() => store.held(key('l'))).toThrow('a damaged hint');
      expect(() => store.keep(a, at('l'), write('1.1.2'), 'counted')).toThrow('a damaged hint');
      expect(store.keep(b, at('l'), write('1.1.2'), 'counted')).toBeDefined();
      expect(store.held(key('k'))).toBeDefined();
    }
    expect(test.store.meta(recordOf('l'))).toEqual(Buffer.of(9));
  });

  it('that is gone altogether is one too', () => {
    test.store.applyMeta([{ key: recordOf('l'), value: undefined }]);
    expect(() => hints.held(key('l'))).toThrow('a damaged hint');
    expect(hints.damaged.count).toBe(1);
  });

  it('is a hint again once it can be read: the disk had failed for a moment only', () => {
    const { bytes } = hints;
    const value = damage('l');
    const { sequence } = mustHold(b, 'l');
    expect(hints.hint(a, key('l'))).toBeUndefined();
    expect(hints.bytes).toBeLessThan(bytes);
    test.store.applyMeta([{ key: recordOf('l'), value }]);
    hints.recheck();
    expect(hints.damaged.count).toBe(1);
    test.clock.advance(1000);
    hints.recheck();
    expect([hints.damaged.count, hints.bytes, [...hints.keysFor(a)]]).toEqual([0, bytes, ['k', 'm', 'l'].map(key)]);
    // Of an earlier state than the other hint's.
    expect(mustHold(a, 'l').sequence).toBeLessThan(sequence);
    expect(hints.held(key('l'))).toBeDefined();
  });

  it('stays set aside while it cannot be read, and is damaged for good after a while', () => {
    damage('l');
    expect(hints.damaged.mayBeReadLater).toBe(false);
    expect(hints.hint(a, key('l'))).toBeUndefined();
    expect(hints.damaged.mayBeReadLater).toBe(true);
    for (let i = 0; i < 60; i++) {
      test.clock.advance(1000);
      hints.recheck();
    }
    expect([hints.damaged.count, hints.damaged.mayBeReadLater]).toEqual([1, false]);
    expect(logged()).toHaveLength(1);
  });

  it('gives all of its kind their turn to be read again', () => {
    const names = Array.from({ length: 250 }, (_, i) => `n${i}`);
    for (const name of names) hints.keep(a, at(name), write('1.1.1'), 'counted');
    const values = names.map(damage);
    for (const name of names) hints.hint(a, key(name));
    test.store.applyMeta([{ key: recordOf('n249'), value: values[249] }]);
    for (let i = 0; i < 3; i++) {
      expect(hints.damaged.count).toBe(250);
      test.clock.advance(1000);
      hints.recheck();
    }
    expect(hints.damaged.count).toBe(249);
    expect(logged()).toHaveLength(100);
  });
});

describe('room for hints', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `k${i}`);

  it('is bounded: at the limit more are refused, and none goes (H18)', () => {
    const small = new HintStore(test.store, test.clock, 3000, test.logger);
    const kept = names.filter((name) => small.keep(a, at(name), write('1.1.1'), 'counted') !== undefined);
    expect(kept.length).toBeGreaterThan(5);
    expect(small.count).toBe(kept.length);
    expect(small.bytes).toBeLessThanOrEqual(3000);
    expect(small.refused).toBe(names.length - kept.length);
    expect([...small.keysFor(a)]).toEqual(kept.map(key));
    expect(again().count).toBe(kept.length);
  });

  it('is left to those that count: surplus ones take half of it at most', () => {
    const small = new HintStore(test.store, test.clock, 3000, test.logger);
    for (const name of names) small.keepSurplus(b, at(name), write('1.1.1'));
    expect(small.bytes).toBeGreaterThan(1000);
    expect(small.bytes).toBeLessThanOrEqual(1500);
    expect(small.keep(a, at('more'), write('1.1.1'), 'counted')).toBeDefined();
  });

  it('is there again once hints were delivered', () => {
    const small = new HintStore(test.store, test.clock, 600, test.logger);
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
