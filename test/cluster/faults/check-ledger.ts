/**
 * Judges what a cluster shows by what its clients were told.
 *
 * A write X is *replaced* by a write Y of the same key that was not refused when Y's client had been shown X, or when Y was blind and
 * had not ended before X began: what a blind write found at its coordinator nobody else knows. X *counts* among some shown values when
 * it is one of them, when a delete replaces it, or when a write that replaces it counts.
 *
 * 1. lost: in the end every acknowledged put counts among the values that are there.
 * 2. back: in the end no value is there that an acknowledged write's client had been shown.
 * 3. invented: no value is ever shown that nobody wrote, or whose write was refused.
 * 4. stale: a strict read shows no less than (1) of the writes acknowledged before it, and none that (2) forbids by then.
 * 5. disagreement: in the end every copy and every node shows the same values under the same dots, and at each look the same context.
 *    From one look to the next ended actors may be retired: that is the same context, written in another way.
 */
import type { KeyHistory, Read, Write } from './ledger.ts';

/** What one node showed of a key, in the end. */
export interface Showing {
  /** `n1` or `n1's own copy`. */
  readonly by: string;
  /** Those of one look were asked for at the same time. */
  readonly look: 'own copies' | 'through nodes';
  readonly ids: readonly string[];
  /** Names the dots; empty where nothing is there. */
  readonly etag: string;
  readonly context: string;
}

export interface Violation {
  readonly kind: 'lost' | 'back' | 'invented' | 'stale' | 'disagreement';
  readonly key: string;
  readonly text: string;
}

/** `showings`: at least one for each key that was written. */
export function checkKey(history: KeyHistory, showings: readonly Showing[]): readonly Violation[] {
  const judge = new KeyJudge(history);
  const shown = [...new Set(showings.flatMap(({ ids }) => ids))];
  const texts: readonly (readonly [Violation['kind'], readonly string[]])[] = [
    ['lost', judge.lost(showings)],
    ['back', judge.back(shown, Number.POSITIVE_INFINITY)],
    ['invented', judge.invented([...shown, ...history.reads.flatMap((read) => read.shown)])],
    ['stale', history.isStrict ? history.reads.flatMap((read) => judge.stale(read)) : []],
    ['disagreement', disagreements(showings)],
  ];
  return texts.flatMap(([kind, found]) => found.map((text) => ({ kind, key: history.key, text })));
}

/** Those who show something else than the first, or under another context than the first of their look. */
export function disagreements(showings: readonly Showing[]): readonly string[] {
  const [first] = showings;
  if (first === undefined) return ['nobody was asked for it'];
  return showings.flatMap((other) => {
    const firstOfLook = showings.find(({ look }) => look === other.look) ?? first;
    if (valuesOf(other) !== valuesOf(first)) return [`${say(first)}, ${say(other)}`];
    return other.context === firstOfLook.context ? [] : [`${say(firstOfLook)}, ${say(other)}`];
  });
}

export function showTheSameValues([first, ...others]: readonly Showing[]): boolean {
  return first === undefined || others.every((other) => valuesOf(other) === valuesOf(first));
}

function valuesOf({ ids, etag }: Showing): string {
  return JSON.stringify([[...ids].sort(), etag]);
}

function say({ by, ids, etag, context }: Showing): string {
  return `${by} shows ${ids.join(' and ') || 'nothing'} (${etag}, context ${context})`;
}

class KeyJudge {
  private readonly writes: ReadonlyMap<string, Write>;
  private readonly blind: readonly Write[];
  private readonly acknowledged: readonly Write[];
  private readonly shownTo = new Map<string, Write[]>();

  constructor({ writes }: KeyHistory) {
    const taken = writes.filter(({ outcome }) => outcome !== 'refused');
    this.writes = new Map(taken.map((write) => [write.id, write]));
    this.blind = taken.filter(({ isBlind }) => isBlind);
    this.acknowledged = taken.filter(({ outcome }) => outcome === 'acknowledged').sort((a, b) => endOf(a) - endOf(b));
    for (const write of taken) {
      for (const id of write.seen) this.shownTo.set(id, [...(this.shownTo.get(id) ?? []), write]);
    }
  }

  /** Judged by each showing of its own: a value that one node has and another has not is lost to the clients of that other one. */
  lost(showings: readonly Showing[]): readonly string[] {
    const contents = new Map(showings.map((showing) => [[...showing.ids].sort().join(), showing]));
    return [...contents.values()].flatMap(({ by, ids }) =>
      this.missing(ids, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).map(
        (write) =>
          `${describe(write)} neither is there nor was replaced: ${by} shows ${ids.join(' and ') || 'nothing'}`,
      ),
    );
  }

  back(shown: readonly string[], beforeMs: number): readonly string[] {
    return shown.flatMap((id) =>
      (this.shownTo.get(id) ?? [])
        .filter((write) => write.outcome === 'acknowledged' && endOf(write) < beforeMs)
        .map((write) => `${id} is shown, which ${describe(write)} replaced`),
    );
  }

  invented(shown: readonly string[]): readonly string[] {
    const strange = new Set(shown.filter((id) => this.writes.get(id)?.kind !== 'put'));
    return [...strange].map((id) => `${id} is shown, and nobody wrote it, or its write was refused`);
  }

  stale({ shown, startMs, endMs }: Read): readonly string[] {
    const when = `the read of ${startMs.toFixed(0)}..${endMs.toFixed(0)} ms showed ${shown.join(' and ') || 'nothing'}`;
    return [
      ...this.missing(shown, startMs, endMs).map((write) => `${when}: ${describe(write)} was missing`),
      ...this.back(shown, startMs).map((text) => `${when}: ${text}`),
    ];
  }

  /** Of the puts acknowledged before `ackedMs`: those that do not count among the shown, by what had begun before `begunMs`. */
  private missing(shown: readonly string[], ackedMs: number, begunMs: number): readonly Write[] {
    const there = new Set(shown);
    return this.latest(ackedMs).filter((write) => !this.counts(write, there, begunMs, new Set()));
  }

  /** Acknowledged before that moment, and not followed by another one so acknowledged: who misses none of these misses none at all. */
  private latest(beforeMs: number): readonly Write[] {
    const latest = new Map<string, Write>();
    for (const write of this.acknowledged) {
      if (endOf(write) >= beforeMs) break;
      for (const id of write.seen) latest.delete(id);
      if (write.isBlind) for (const [id, other] of latest) if (endOf(other) < write.startMs) latest.delete(id);
      if (write.kind === 'put') latest.set(write.id, write);
    }
    return [...latest.values()];
  }

  private counts(write: Write, shown: ReadonlySet<string>, begunMs: number, visited: Set<string>): boolean {
    if (shown.has(write.id)) return true;
    if (visited.has(write.id)) return false;
    visited.add(write.id);
    return this.replacing(write).some(
      (other) => other.startMs < begunMs && (other.kind === 'delete' || this.counts(other, shown, begunMs, visited)),
    );
  }

  private replacing(write: Write): readonly Write[] {
    const blind = this.blind.filter((other) => other !== write && endOf(other) > write.startMs);
    return [...(this.shownTo.get(write.id) ?? []), ...blind];
  }
}

/** What is not known to have ended may do its work at any time. */
function endOf({ outcome, endMs }: Write): number {
  return outcome === 'acknowledged' && endMs !== undefined ? endMs : Number.POSITIVE_INFINITY;
}

function describe({ id, kind, isBlind, outcome, startMs, endMs }: Write): string {
  const times = `${startMs.toFixed(0)}..${endMs?.toFixed(0) ?? ''} ms`;
  return `the ${outcome} ${isBlind ? 'blind ' : ''}${kind} ${id} (${times})`;
}
