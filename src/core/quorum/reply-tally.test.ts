import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MemberNumber, memberNumber } from '../ids.ts';
import { type OwnerSet, type QuorumOutcome, ReplyTally } from './reply-tally.ts';

/** The laws in ReplyTally's comment, each judged by counting anew from the replies alone. */
describe('ReplyTally', () => {
  it('is met exactly when every set has its seats and its owners (law 1)', () => {
    forAllRuns((run) => {
      eachStep(run, (tally, heard) => {
        const met = run.sets.every((set) => demandIsMet(set, run, (node) => heard.get(node) === true));
        expect(tally.outcome === 'met').toBe(met);
      });
    });
  });

  it('has failed exactly when what is still out could not meet the quorum any more (law 2)', () => {
    forAllRuns((run) => {
      eachStep(run, (tally, heard) => {
        const hope = run.sets.every((set) => demandIsMet(set, run, (node) => heard.get(node) !== false));
        expect(tally.outcome === 'failed').toBe(!hope);
      });
    });
  });

  it('never leaves met or failed (law 3)', () => {
    forAllRuns((run) => {
      const outcomes: QuorumOutcome[] = [];
      eachStep(run, (tally) => outcomes.push(tally.outcome));
      const decided = outcomes.find((outcome) => outcome !== 'pending');
      const since = outcomes.findIndex((outcome) => outcome !== 'pending');
      if (since >= 0) expect(new Set(outcomes.slice(since))).toEqual(new Set([decided]));
    });
  });

  it('takes the first reply of a node and no other (law 4)', () => {
    forAllRuns((run) => {
      const noisy = run.replies.flatMap((reply) => [reply, reply, { ...reply, acked: !reply.acked }]);
      const clean = tallyOf(run);
      const repeated = tallyOf(run);
      for (const reply of run.replies) add(clean, reply);
      for (const reply of noisy) add(repeated, reply);
      expect(repeated.outcome).toBe(clean.outcome);
      expect(repeated.report()).toEqual(clean.report());
      expect(repeated.counts()).toEqual(clean.counts());
    });
  });

  it('comes to the same outcome whatever the order (law 5)', () => {
    forAllRuns((run) => {
      const forwards = tallyOf(run);
      const backwards = tallyOf(run);
      for (const reply of run.replies) add(forwards, reply);
      for (const reply of [...run.replies].reverse()) add(backwards, reply);
      expect(backwards.outcome).toBe(forwards.outcome);
      expect(backwards.report()).toEqual(forwards.report());
    });
  });

  it('is decided once everyone has replied (law 6)', () => {
    forAllRuns((run) => {
      const tally = tallyOf(run);
      for (const reply of run.replies) add(tally, reply);
      const heard = new Set(run.replies.map(({ node }) => node));
      for (const node of nodesOf(run)) if (!heard.has(node)) tally.acked(node);
      expect(tally.outcome).not.toBe('pending');
      expect(tally.report().pending).toEqual([]);
    });
  });

  it('puts each node that was asked into one list of the report', () => {
    forAllRuns((run) => {
      eachStep(run, (tally) => {
        const { acked, failed, pending } = tally.report();
        const listed = [...acked, ...failed.map(({ node }) => node), ...pending];
        expect(listed.sort((a, b) => a - b)).toEqual(nodesOf(run).sort((a, b) => a - b));
      });
    });
  });

  it('shares an owner between any met read and any met write when r + w > n', () => {
    const shape = fc.integer({ min: 1, max: 7 }).chain((n) =>
      fc.record({
        n: fc.constant(n),
        r: fc.integer({ min: 1, max: n }),
        w: fc.integer({ min: 1, max: n }),
        reads: fc.shuffledSubarray(range(n), { minLength: n }),
        writes: fc.shuffledSubarray(range(n), { minLength: n }),
      }),
    );
    let intersecting = 0;
    const property = fc.property(shape, ({ n, r, w, reads, writes }) => {
      const readers = ackedUntilMet([{ owners: range(n), quorum: { total: r, owners: 0 } }], reads);
      const writers = ackedUntilMet([{ owners: range(n), quorum: { total: w, owners: 0 } }], writes);
      if (readers === undefined || writers === undefined || r + w <= n) return;
      intersecting++;
      expect(readers.some((node) => writers.includes(node))).toBe(true);
    });
    fc.assert(property, { numRuns: 1000 });
    expect(intersecting).toBeGreaterThan(250);
  });

  it('shares an owner between a write met during an ownership change and any met read of either side', () => {
    const side = fc.shuffledSubarray(range(9), { minLength: 1, maxLength: 5 });
    const shape = fc.record({
      old: side,
      next: side,
      seed: fc.shuffledSubarray(range(9), { minLength: 9 }),
      reads: fc.nat(),
    });
    const property = fc.property(shape, ({ old, next, seed, reads }) => {
      const sets = [majorityOf(old), majorityOf(next)];
      const writers =
        ackedUntilMet(
          sets,
          seed.filter((node) => old.includes(node) || next.includes(node)),
        ) ?? [];
      for (const set of sets) {
        const from = set.owners.map((_, index) => set.owners[(index + reads) % set.owners.length] ?? memberNumber(0));
        const readers = ackedUntilMet([set], from) ?? [];
        expect(readers.some((node) => writers.includes(node))).toBe(true);
      }
    });
    fc.assert(property, { numRuns: 500 });
  });
});

interface Reply {
  readonly node: MemberNumber;
  readonly acked: boolean;
}

interface Run {
  readonly sets: readonly OwnerSet[];
  readonly standIns: readonly { readonly fallback: MemberNumber; readonly owner: MemberNumber }[];
  /** At most one of each node. */
  readonly replies: readonly Reply[];
}

const FALLBACKS = [21, 22, 23].map(memberNumber);

const ownerSets: fc.Arbitrary<OwnerSet> = fc
  .record({
    owners: fc.shuffledSubarray(range(7), { maxLength: 5 }),
    total: fc.integer({ min: 1, max: 4 }),
    owned: fc.nat(4),
  })
  .map(({ owners, total, owned }) => ({ owners, quorum: { total, owners: Math.min(total, owned) } }));

const runs: fc.Arbitrary<Run> = fc.array(ownerSets, { minLength: 1, maxLength: 3 }).chain((sets) => {
  const owners = [...new Set(sets.flatMap((set) => set.owners))];
  const standIn = fc.record({ owner: fc.nat(), used: fc.boolean() });
  return fc.tuple(...FALLBACKS.map(() => standIn)).chain((drawn) => {
    const standIns = FALLBACKS.flatMap((fallback, index) => {
      const owner = owners[(drawn[index]?.owner ?? 0) % owners.length];
      return owner === undefined || drawn[index]?.used !== true ? [] : [{ fallback, owner }];
    });
    const nodes = [...owners, ...standIns.map(({ fallback }) => fallback)];
    const replies = fc.shuffledSubarray(nodes).chain((order) => fc.tuple(...order.map((node) => replyOf(node))));
    return replies.map((all) => ({ sets, standIns, replies: all }));
  });
});

function replyOf(node: MemberNumber): fc.Arbitrary<Reply> {
  return fc.boolean().map((acked) => ({ node, acked }));
}

function range(n: number): MemberNumber[] {
  return Array.from({ length: n }, (_, index) => memberNumber(index + 1));
}

function forAllRuns(check: (run: Run) => void): void {
  fc.assert(fc.property(runs, check), { numRuns: 500 });
}

function nodesOf(run: Run): MemberNumber[] {
  return [...new Set(run.sets.flatMap((set) => set.owners)), ...run.standIns.map(({ fallback }) => fallback)];
}

function tallyOf(run: Run): ReplyTally {
  const tally = new ReplyTally(run.sets, 'asked');
  for (const { fallback, owner } of run.standIns) tally.standIn(fallback, owner);
  return tally;
}

function add(tally: ReplyTally, { node, acked }: Reply): void {
  if (acked) tally.acked(node);
  else tally.failed(node, 'down');
}

/** Before the first reply and after each. */
function eachStep(run: Run, check: (tally: ReplyTally, heard: ReadonlyMap<MemberNumber, boolean>) => void): void {
  const tally = tallyOf(run);
  const heard = new Map<MemberNumber, boolean>();
  check(tally, heard);
  for (const reply of run.replies) {
    add(tally, reply);
    heard.set(reply.node, reply.acked);
    check(tally, heard);
  }
}

function demandIsMet({ owners, quorum }: OwnerSet, run: Run, counts: (node: MemberNumber) => boolean): boolean {
  const byOwner = owners.filter(counts);
  const seats = owners.filter(
    (owner) => counts(owner) || run.standIns.some((standIn) => standIn.owner === owner && counts(standIn.fallback)),
  );
  return byOwner.length >= quorum.owners && seats.length >= quorum.total;
}

/** Who had acked when the quorum was met; undefined if it never was. */
function ackedUntilMet(sets: readonly OwnerSet[], order: readonly MemberNumber[]): readonly MemberNumber[] | undefined {
  const tally = new ReplyTally(sets, 'asked');
  for (const node of order) if (tally.acked(node) === 'met') return tally.report().acked;
  return undefined;
}

function majorityOf(owners: readonly MemberNumber[]): OwnerSet {
  return { owners, quorum: { total: Math.floor(owners.length / 2) + 1, owners: 0 } };
}
