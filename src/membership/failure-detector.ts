import type { NodeId } from '../core/ids.ts';

/** How long a connected peer may be silent before it is suspected. Heartbeats come every {@link HEARTBEAT_MS}. */
export const SUSPECT_AFTER_MS = 1000;
export const HEARTBEAT_MS = 250;
/** A peer that was lost so often within this time is flapping, until it has been heard steadily for a while. */
export const FLAPS = 3;
export const FLAP_WINDOW_MS = 10_000;
export const STEADY_MS = 1000;

/** `up`: heard of lately; `suspect`: connected but silent, or not heard of yet; `down`: no connection. */
export type PeerState = 'up' | 'suspect' | 'down';

interface Peer {
  connected: boolean;
  /** This node's monotonic clock when it last heard of the peer over this connection; undefined before. */
  heardMs: number | undefined;
  mayCoordinate: boolean;
  /** When the peer was lost, the last {@link FLAPS} times. */
  readonly lostMs: number[];
  /** Since when it is heard without a gap. */
  steadySinceMs: number;
}

/**
 * One node's own view of its peers, from connections and heartbeats. It never changes membership: it only says whom to ask first,
 * and which requests cannot succeed.
 *
 * A peer is suspected a second after it fell silent, down as soon as its connection ends or is refused. One that comes and goes would
 * make each request choose other nodes than the last: it is chosen after those that are steady. Not more than that: where a quorum
 * needs it, it counts while it is there.
 *
 * Time is passed in, so that a node that was paused can look again before it judges: see {@link FailureDetector.resumed}.
 */
export class FailureDetector {
  private readonly peers = new Map<NodeId, Peer>();
  /** Peers that were lost, by silence or by the end of their connection, since the start. */
  losses = 0;

  /** A connection alone says little: the process behind it may still be starting. */
  connected(id: NodeId): void {
    const lostMs = this.peers.get(id)?.lostMs ?? [];
    this.peers.set(id, { connected: true, heardMs: undefined, mayCoordinate: false, lostMs, steadySinceMs: 0 });
  }

  /** Or could not be reached. */
  disconnected(id: NodeId, nowMs: number): void {
    const peer = this.peers.get(id);
    if (peer === undefined) return;
    if (peer.connected) this.lost(peer, nowMs);
    peer.connected = false;
    peer.mayCoordinate = false;
  }

  /** A heartbeat: the peer knows the cluster state; it also says whether it holds a grant. */
  heard(id: NodeId, nowMs: number, mayCoordinate: boolean): void {
    const peer = this.peers.get(id);
    if (peer === undefined) return;
    const isGap = peer.heardMs !== undefined && nowMs - peer.heardMs > SUSPECT_AFTER_MS;
    if (isGap) this.lost(peer, nowMs);
    if (isGap || peer.heardMs === undefined) peer.steadySinceMs = nowMs;
    peer.heardMs = nowMs;
    peer.mayCoordinate = mayCoordinate;
  }

  /** This node itself was not running: silence until now says nothing about the others (R11). */
  resumed(nowMs: number): void {
    for (const peer of this.peers.values()) if (peer.heardMs !== undefined) peer.heardMs = nowMs;
  }

  seenAs(id: NodeId, nowMs: number): PeerState {
    const peer = this.peers.get(id);
    if (peer?.connected !== true) return 'down';
    return peer.heardMs === undefined || nowMs - peer.heardMs > SUSPECT_AFTER_MS ? 'suspect' : 'up';
  }

  isUp(id: NodeId, nowMs: number): boolean {
    return this.seenAs(id, nowMs) === 'up';
  }

  isFlapping(id: NodeId, nowMs: number): boolean {
    const peer = this.peers.get(id);
    if (peer === undefined || peer.lostMs.length < FLAPS) return false;
    const [first = 0] = peer.lostMs;
    const isSteady = peer.connected && peer.heardMs !== undefined && nowMs - peer.steadySinceMs >= STEADY_MS;
    return nowMs - first < FLAP_WINDOW_MS && !isSteady;
  }

  /** Up, and under a grant of its own. */
  mayCoordinate(id: NodeId, nowMs: number): boolean {
    return this.isUp(id, nowMs) && this.peers.get(id)?.mayCoordinate === true;
  }

  private lost(peer: Peer, nowMs: number): void {
    this.losses++;
    peer.lostMs.push(nowMs);
    if (peer.lostMs.length > FLAPS) peer.lostMs.shift();
  }
}
