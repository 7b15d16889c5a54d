import { describe, expect, it } from 'vitest';
import { actorOf } from '../core/causality/dot.ts';
import { logIndex, memberNumber, partition } from '../core/ids.ts';
import { InvariantViolation } from '../core/invariant.ts';
import { Standing } from './standing.ts';

const first = partition(0);
const second = partition(1);
const whole = { isOpen: () => false, isOver: true };
const actor = (grant: number) => actorOf(memberNumber(1), logIndex(grant));

describe('the standing of a node', () => {
  it('lets reads wait until it has a grant', () => {
    const standing = new Standing(whole);
    const ran: string[] = [];
    standing.whenReadable(first, () => ran.push('waited'));
    expect(standing).toMatchObject({ actor: undefined, mayRead: false });
    expect(ran).toEqual([]);
    standing.grant(actor(5));
    standing.whenReadable(first, () => ran.push('at once'));
    expect(standing).toMatchObject({ actor: actor(5), mayRead: true, isProvisional: false });
    expect(ran).toEqual(['waited', 'at once']);
  });

  it('lets reads through provisionally, but no writes, until the grant comes', () => {
    const standing = new Standing(whole);
    let runs = 0;
    standing.whenReadable(first, () => runs++);
    standing.readProvisionally();
    expect(standing).toMatchObject({ actor: undefined, mayRead: true, isProvisional: true });
    standing.grant(actor(5));
    expect(standing.isProvisional).toBe(false);
    expect(runs).toBe(1);
  });

  it('forgets a read that was called off', () => {
    const standing = new Standing(whole);
    let runs = 0;
    standing.whenReadable(first, () => runs++)();
    standing.grant(actor(5));
    expect(runs).toBe(0);
  });

  it('takes later grants only', () => {
    const standing = new Standing(whole);
    standing.grant(actor(5));
    standing.grant(actor(6));
    expect(() => standing.grant(actor(6))).toThrow(InvariantViolation);
  });

  it('neither reads nor coordinates where it is catching up, and does elsewhere', () => {
    const standing = new Standing({ isOpen: (one) => one === first, isOver: false });
    standing.grant(actor(5));
    expect([standing.isReadable(first), standing.actorOf(first)]).toEqual([false, undefined]);
    expect(() => standing.whenReadable(first, () => {})).toThrow('partition 0 is catching up');
    expect([standing.isReadable(second), standing.actorOf(second)]).toEqual([true, actor(5)]);
    expect(standing).toMatchObject({ actor: actor(5), isWhole: false });
  });

  it('ends no catch-up under a grant that is doubted, nor without one', () => {
    const standing = new Standing({ isOpen: () => true, isOver: false });
    expect(standing.mayEndCatchUp).toBe(false);
    standing.grant(actor(5));
    expect(standing.mayEndCatchUp).toBe(true);
    standing.doubt();
    expect(standing).toMatchObject({ actor: actor(5), mayEndCatchUp: false });
    standing.grant(actor(6));
    expect(standing.mayEndCatchUp).toBe(true);
    standing.revoke();
    expect(standing).toMatchObject({ actor: undefined, mayEndCatchUp: false });
  });

  it('shows nothing to a read that waited for the grant, when the partition turns out to be catching up', () => {
    let isOpen = false;
    const standing = new Standing({ isOpen: () => isOpen, isOver: false });
    let runs = 0;
    standing.whenReadable(first, () => runs++);
    isOpen = true;
    standing.grant(actor(5));
    expect(runs).toBe(0);
  });
});
