/** What `explain=true` tells of one request. Times are in ms since the request began, to the microsecond; dots as in a 300 answer. */
import type { Container } from '../core/causality/container.ts';
import { formatDot } from '../core/causality/dot.ts';
import type { Epoch, NodeId } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Clock } from '../ports.ts';

/**
 * `owner`: one of as many as must answer; `hedge`: asked since the answer took long; `replacement`: in the place of one that failed.
 * `fallback`: no owner, asked for the hints that it keeps for one that is away.
 */
export type AskedAs = 'owner' | 'hedge' | 'replacement' | 'fallback';

export interface ReadExplanation {
  readonly kind: 'read';
  readonly coordinator: NodeId;
  readonly epoch: Epoch;
  readonly required: number;
  /** In the order in which they were asked. */
  readonly replicas: readonly AskedReplica[];
  /** When enough had answered. */
  readonly quorumMs?: number;
  /** The dots of what is shown: the merge of what the replicas held. */
  readonly merged?: readonly string[];
  /** Given the merged siblings before the answer, since too few owners had them. */
  readonly writtenBack: readonly GivenBack[];
  /** To be given them once the request is answered. */
  readonly repaired: readonly NodeId[];
}

/** Neither answered nor failed: not heard of yet when the request ended. */
export interface AskedReplica {
  readonly node: NodeId;
  readonly askedAs: AskedAs;
  /** The owner that a fallback stands in for. */
  readonly standsInFor?: NodeId;
  /** Left out: known to be down, and not asked. */
  readonly askedMs?: number;
  readonly answeredMs?: number;
  /** The dots of the siblings it held, when it was last asked. None: it has no value under the key. */
  readonly siblings?: readonly string[];
  /** It left out the values, which are large. */
  readonly digest?: true;
  /** When it had told them after all, since nobody else could. */
  readonly fetchedMs?: number;
  readonly failed?: string;
}

export interface GivenBack {
  readonly node: NodeId;
  readonly askedMs: number;
  readonly durableMs?: number;
  readonly failed?: string;
}

export interface WriteExplanation {
  readonly kind: 'write';
  readonly epoch: Epoch;
  readonly required: number;
  /** Those that were asked to coordinate the write, one after another, owners before fallbacks: the last one did, or was to. */
  readonly coordinators: readonly AskedCoordinator[];
  /** The write's own dot, once it was acknowledged. */
  readonly dot?: string;
  /** All owners that were there were sent the write at once; then come the fallbacks that are known to have kept it, or to have failed to. */
  readonly replicas: readonly WrittenReplica[];
}

export interface AskedCoordinator {
  readonly node: NodeId;
  readonly askedMs: number;
  readonly endedMs?: number;
  /** Why it did not take it, so that the next one was asked. */
  readonly refused?: string;
}

/** Neither durable nor failed: not heard of yet when the request ended. */
export interface WrittenReplica {
  readonly node: string;
  /** No owner: it was to stand in for one that is away. */
  readonly fallback?: true;
  /** When its acknowledgement came, in ms since the coordinating owner began. */
  readonly durableMs?: number;
  readonly failed?: string;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Measures what one request does from its beginning. */
export class Stopwatch {
  private readonly clock: Clock;
  private readonly startedMs: number;

  constructor(clock: Clock) {
    this.clock = clock;
    this.startedMs = clock.monotonicMs();
  }

  get ms(): number {
    return Math.round((this.clock.monotonicMs() - this.startedMs) * 1000) / 1000;
  }
}

/** Keeps what a read does, as it does it. */
export class ReadTimeline {
  private readonly stopwatch: Stopwatch;
  private readonly head: Pick<ReadExplanation, 'coordinator' | 'epoch' | 'required'>;
  private readonly replicas: Writable<AskedReplica>[] = [];
  private readonly writtenBack: Writable<GivenBack>[] = [];
  private quorumMs: number | undefined;
  private merged: readonly string[] | undefined;
  private repaired: readonly NodeId[] = [];

  constructor(clock: Clock, head: Pick<ReadExplanation, 'coordinator' | 'epoch' | 'required'>) {
    this.stopwatch = new Stopwatch(clock);
    this.head = head;
  }

  passedOver(node: NodeId, failed: string): void {
    this.replicas.push({ node, askedAs: 'owner', failed });
  }

  asked(node: NodeId, askedAs: AskedAs, standsInFor?: NodeId): void {
    const asked = { node, askedAs, askedMs: this.stopwatch.ms };
    this.replicas.push(standsInFor === undefined ? asked : { ...asked, standsInFor });
  }

  answered(node: NodeId, container: Container, digest: boolean): void {
    const answered = { answeredMs: this.stopwatch.ms, siblings: dotsOf(container) };
    this.note(node, digest ? { ...answered, digest } : answered);
  }

  /** It may hold something newer by now. */
  fetched(node: NodeId, container: Container): void {
    this.note(node, { fetchedMs: this.stopwatch.ms, siblings: dotsOf(container) });
  }

  failed(node: NodeId, failed: string): void {
    this.note(node, { failed });
  }

  met(): void {
    this.quorumMs = this.stopwatch.ms;
  }

  decided(container: Container): void {
    this.merged = dotsOf(container);
  }

  writesBack(node: NodeId): void {
    this.writtenBack.push({ node, askedMs: this.stopwatch.ms });
  }

  wroteBack(node: NodeId, failed: string | undefined): void {
    const given = this.writtenBack.find((each) => each.node === node);
    if (given !== undefined) Object.assign(given, failed === undefined ? { durableMs: this.stopwatch.ms } : { failed });
  }

  repairs(nodes: readonly NodeId[]): void {
    this.repaired = nodes;
  }

  /** As it stands: what comes later does not change it. */
  explanation(): ReadExplanation {
    const { quorumMs, merged } = this;
    return {
      ...{ kind: 'read', ...this.head, replicas: this.replicas.map((each) => ({ ...each })) },
      ...(quorumMs === undefined ? {} : { quorumMs }),
      ...(merged === undefined ? {} : { merged }),
      ...{ writtenBack: this.writtenBack.map((each) => ({ ...each })), repaired: this.repaired },
    };
  }

  private note(node: NodeId, what: Partial<AskedReplica>): void {
    const replica = this.replicas.find((each) => each.node === node);
    if (replica !== undefined) Object.assign(replica, what);
  }
}

/** The error with the explanation among its details. Anything but a StoreError is thrown as it is. */
export function explained(error: unknown, explain: ReadExplanation | WriteExplanation): unknown {
  if (!(error instanceof StoreError)) return error;
  return new StoreError(error.code, error.message, { ...error.details, explain }, { cause: error });
}

function dotsOf({ siblings }: Container): readonly string[] {
  return siblings.map(({ dot }) => formatDot(dot));
}
