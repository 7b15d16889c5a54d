import { describe, expect, it } from 'vitest';
import { actorOf } from '../core/causality/dot.ts';
import { logIndex, memberNumber } from '../core/ids.ts';
import { InvariantViolation } from '../core/invariant.ts';
import { Standing } from './standing.ts';

const actor = (grant: number) => actorOf(memberNumber(1), logIndex(grant));

describe('the standing of a node', () => {
  it('lets reads wait until it has a grant', () => {
    const standing = new Standing();
    const ran: string[] = [];
    standing.whenReadable(() => ran.push('waited'));
    expect(standing).toMatchObject({ actor: undefined, readable: false });
    expect(ran).toEqual([]);
    standing.grant(actor(5));
    standing.whenReadable(() => ran.push('at once'));
    expect(standing).toMatchObject({ actor: actor(5), readable: true, isProvisional: false });
    expect(ran).toEqual(['waited', 'at once']);
  });

  it('lets reads through provisionally, but no writes, until the grant comes', () => {
    const standing = new Standing();
    let runs = 0;
    standing.whenReadable(() => runs++);
    standing.readProvisionally();
    expect(standing).toMatchObject({ actor: undefined, readable: true, isProvisional: true });
    standing.grant(actor(5));
    expect(standing.isProvisional).toBe(false);
    expect(runs).toBe(1);
  });

  it('forgets a read that was called off', () => {
    const standing = new Standing();
    let runs = 0;
    standing.whenReadable(() => runs++)();
    standing.grant(actor(5));
    expect(runs).toBe(0);
  });

  it('takes later grants only', () => {
    const standing = new Standing();
    standing.grant(actor(5));
    standing.grant(actor(6));
    expect(() => standing.grant(actor(6))).toThrow(InvariantViolation);
  });
});
