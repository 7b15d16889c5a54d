import { type ByteReader, ByteWriter } from '../core/bytes.ts';
import type { NodeId } from '../core/ids.ts';
import type { Clock, Timer } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Calls } from '../rpc/calls.ts';
import { type FailureDetector, HEARTBEAT_MS, SUSPECT_AFTER_MS } from './failure-detector.ts';

export interface HeartbeatNeeds {
  readonly calls: Calls;
  readonly clock: Clock;
  readonly detector: FailureDetector;
  readonly peers: () => readonly NodeId[];
  /** Whether this node knows the cluster state: before that it is of no use to anybody and keeps silent. */
  readonly isServing: () => boolean;
  /** Whether this node may coordinate writes: it holds a grant and is not draining. */
  readonly mayCoordinate: () => boolean;
}

/** Tells every peer, some times a second, that this node is there and whether it may coordinate writes. */
export class Heartbeats {
  private readonly needs: HeartbeatNeeds;
  private readonly out = new ByteWriter();
  private timer: Timer | undefined;
  private lastBeatMs: number;

  constructor(needs: HeartbeatNeeds) {
    this.needs = needs;
    this.lastBeatMs = needs.clock.monotonicMs();
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
    this.out.reset().u8(mayCoordinate() ? 1 : 0);
    for (const peer of peers()) calls.notify(peer, METHOD.heartbeat, this.out.view());
  }

  received(from: NodeId, body: ByteReader): void {
    this.needs.detector.heard(from, this.needs.clock.monotonicMs(), body.u8() === 1);
  }
}
