import { describe, expect, it } from 'vitest';
import { dots, floor } from '../causality/causality-builders.ts';
import { logIndex, memberNumber, partition } from '../ids.ts';
import { createCommand, done, grantCommand, History, n2, retireCommand } from './cluster-builders.ts';

const refused = (reason: string) => expect.objectContaining({ kind: 'refused', reason });
const first = memberNumber(1);
const entries = dots('1.3.1', '1.3.2');

/** The first member's first start has grant 3, its second one grant 4. */
const restarted = () => new History(createCommand(), grantCommand('a', []), grantCommand('b', ['a']));

describe('a retirement', () => {
  it('is kept with its entries, in the epoch that was', () => {
    const history = restarted();
    expect(history.apply(retireCommand(1, 3, entries))).toEqual(done(1));
    const kept = { member: first, floor: 3, entries: new Map([[partition(0), entries]]) };
    expect(history.present.retirements).toEqual(new Map([[first, kept]]));
  });

  it('comes twice and counts once', () => {
    const history = restarted();
    history.apply(retireCommand(1, 3, entries));
    const before = history.state;
    expect(history.apply(retireCommand(1, 3, entries))).toEqual(done(1));
    expect(history.state).toBe(before);
  });

  it('leaves out the actor that writes, and those to come', () => {
    expect(restarted().apply(retireCommand(1, 4, entries))).toEqual(refused('invalid'));
    expect(restarted().apply(retireCommand(1, 9, entries))).toEqual(refused('invalid'));
  });

  it('does not go back', () => {
    const history = restarted();
    history.apply(grantCommand('c', ['b']));
    const origin = { ...retireCommand(1, 3, entries).origin, start: 'c' };
    const lives = retireCommand(1, 3, entries).lives.map((life, i) =>
      i === 0 ? { ...life, grant: logIndex(5) } : life,
    );
    const retire = (sequence: number, to: number) =>
      history.apply(retireCommand(sequence, to, dots('1.3.1'), { lives, origin: { ...origin, sequence } }));
    expect(retire(1, 4)).toEqual(done(1));
    expect(retire(2, 3)).toEqual(refused('invalid'));
    expect(retire(3, 4)).toEqual(refused('invalid'));
    expect(history.present.retirements.get(first)?.floor).toBe(4);
  });

  it('is undone by any start since the owners agreed', () => {
    const history = restarted();
    history.apply(grantCommand('x', [], { member: n2, store: 'folder 2' }));
    expect(history.apply(retireCommand(1, 3, entries))).toEqual(refused('superseded'));
    expect(history.present.retirements.size).toBe(0);
  });

  it('is undone by a member that did not agree', () => {
    const lives = retireCommand(1, 3, entries).lives.slice(0, 2);
    expect(restarted().apply(retireCommand(1, 3, entries, { lives }))).toEqual(refused('superseded'));
  });

  it('speaks of one member, of its ended actors, in partitions that there are', () => {
    for (const wrong of [dots('2.3.1'), dots('1.4.1'), floor(1, 3)]) {
      expect(restarted().apply(retireCommand(1, 3, wrong))).toEqual(refused('invalid'));
    }
    const elsewhere = { entries: new Map([[partition(4), entries]]) };
    expect(restarted().apply(retireCommand(1, 3, entries, elsewhere))).toEqual(refused('invalid'));
    const unknown = { member: memberNumber(9) };
    expect(restarted().apply(retireCommand(1, 3, dots(), unknown))).toEqual(refused('unknown-member'));
  });
});
