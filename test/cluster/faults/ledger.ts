/**
 * What clients asked for and were told, kept by the test: the cluster is judged by it.
 *
 * Every write has an id, which its value carries. Times are of one clock, in ms.
 */

/** `refused`: certainly not applied. `unknown`: may have been applied, or may yet be. A write that is under way is unknown. */
export type Outcome = 'acknowledged' | 'unknown' | 'refused';

export interface Write {
  readonly id: string;
  readonly kind: 'put' | 'delete';
  /** Sent without a context: it replaces whatever its coordinator holds. */
  readonly isBlind: boolean;
  /** The writes that its client had been shown, by the context that it sent: these it replaces. */
  readonly seen: readonly string[];
  readonly startMs: number;
  /** When the client was told; undefined while it is not. */
  readonly endMs: number | undefined;
  readonly outcome: Outcome;
}

/** A read that was answered, and the writes whose values it showed. */
export interface Read {
  readonly shown: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
}

export interface KeyHistory {
  readonly key: string;
  /** Every request of this key asked for a quorum of owners and no stand-ins: reads see what was acknowledged before them. */
  readonly isStrict: boolean;
  readonly writes: readonly Write[];
  readonly reads: readonly Read[];
}

/** A write under way. */
export interface OpenWrite {
  readonly id: string;
  readonly key: string;
  readonly kind: Write['kind'];
  readonly isBlind: boolean;
  readonly seen: readonly string[];
}

interface Keeping {
  readonly isStrict: boolean;
  readonly writes: Map<string, Write>;
  readonly reads: Read[];
}

export class Ledger {
  /** `kind outcome` of each request that has ended: how many. */
  readonly totals = new Map<string, number>();
  private readonly keys = new Map<string, Keeping>();
  private readonly nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.nowMs = nowMs;
  }

  /** To be called before anything is sent. The result says how it ended. */
  beginWrite(isStrict: boolean, { id, key, kind, isBlind, seen }: OpenWrite): (outcome: Outcome) => void {
    const { writes } = this.keeping(key, isStrict);
    if (writes.has(id)) throw new Error(`two writes with the id ${id}`);
    const write: Write = { id, kind, isBlind, seen, startMs: this.nowMs(), endMs: undefined, outcome: 'unknown' };
    writes.set(id, write);
    return (outcome) => {
      writes.set(id, { ...write, outcome, endMs: this.nowMs() });
      this.count(`${isBlind ? 'blind ' : ''}${kind} ${outcome}`);
    };
  }

  /** The result takes what the read showed; undefined when it was not answered. */
  beginRead(isStrict: boolean, key: string): (shown: readonly string[] | undefined) => void {
    const { reads } = this.keeping(key, isStrict);
    const startMs = this.nowMs();
    return (shown) => {
      this.count(shown === undefined ? 'get failed' : 'get answered');
      if (shown !== undefined) reads.push({ shown, startMs, endMs: this.nowMs() });
    };
  }

  histories(): readonly KeyHistory[] {
    return [...this.keys].map(([key, { isStrict, writes, reads }]) => ({
      ...{ key, isStrict, reads },
      writes: [...writes.values()],
    }));
  }

  private keeping(key: string, isStrict: boolean): Keeping {
    let keeping = this.keys.get(key);
    if (keeping === undefined) {
      keeping = { isStrict, writes: new Map(), reads: [] };
      this.keys.set(key, keeping);
    }
    return keeping;
  }

  private count(what: string): void {
    this.totals.set(what, (this.totals.get(what) ?? 0) + 1);
  }
}
