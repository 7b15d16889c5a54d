import { ByteReader, ByteWriter } from '../core/bytes.ts';
import type { NodeId } from '../core/ids.ts';
import type { Clock, Random, Timer } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Calls } from '../rpc/calls.ts';
import { type FailureDetector, HEARTBEAT_MS, SUSPECT_AFTER_MS } from './failure-detector.ts';

export interface HeartbeatNeeds {
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: Random;
  readonly detector: FailureDetector;
  readonly peers: () => readonly NodeId[];
  /** Whether this node knows the cluster state: before that it is of no use to anybody and keeps silent. */
  readonly isServing: () => boolean;
  /** Whether this node may coordinate writes: it holds a grant and is not draining. */
  readonly mayCoordinate: () => boolean;
}

/** The last heartbeat that was heard of a peer: of which life of its process, and the how manieth. */
interface LastBeat {
  readonly life: number;
  readonly sequence: number;
  /** Lives before this one, the latest first. */
  readonly ended: readonly number[];
}

const LIVES_KEPT = 8;

/**
 * Tells every peer, some times a second, that this node is there and whether it may coordinate writes.
 *
 * Heartbeats are counted, and one that was overtaken by a later one is passed over: what it says is no longer so.
 */
export class Heartbeats {
  private readonly needs: HeartbeatNeeds;
  private readonly out = new ByteWriter();
  private timer: Timer | undefined;
  private lastBeatMs: number;
  private readonly life: number;
  private sequence = 0;
  private readonly heard = new Map<NodeId, LastBeat>();

  constructor(needs: HeartbeatNeeds) {
    this.needs = needs;
    this.lastBeatMs = needs.clock.monotonicMs();
    this.life = new ByteReader(needs.random.bytes(4)).u32();
  }

  start(): void {
    this.timer = this.needs.clock.after(HEARTBEAT_MS, () => this.start());
    this.beat();
  }

  stop(): void {
    this.timer?.cancel();
  }

  /** At once, since something that peers decide by has changed. */
  beat(): void {
    const { calls, clock, detector, peers, isServing, mayCoordinate } = this.needs;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.lastBeatMs > SUSPECT_AFTER_MS) detector.resumed(nowMs);
    this.lastBeatMs = nowMs;
    if (!isServing()) return;
    this.out
      .reset()
      .u8(mayCoordinate() ? 1 : 0)
      .u32(this.life)
      .varint(++this.sequence);
    for (const peer of peers()) calls.notify(peer, METHOD.heartbeat, this.out.view());
  }

  received(from: NodeId, body: ByteReader): void {
    const mayCoordinate = body.u8() === 1;
    const [life, sequence] = [body.u32(), body.varint()];
    if (!this.isLater(from, life, sequence)) return;
    this.needs.detector.heard(from, this.needs.clock.monotonicMs(), mayCoordinate);
  }

  private isLater(from: NodeId, life: number, sequence: number): boolean {
    const last = this.heard.get(from);
    if (last?.ended.includes(life)) return false;
    if (last?.life === life && sequence <= last.sequence) return false;
    const ended = last === undefined || last.life === life ? (last?.ended ?? []) : [last.life, ...last.ended];
    this.heard.set(from, { life, sequence, ended: ended.slice(0, LIVES_KEPT) });
    return true;
  }
}
