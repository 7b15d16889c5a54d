import type { NodeId } from '../core/ids.ts';

/** How long a connected peer may be silent before it is suspected. Heartbeats come every {@link HEARTBEAT_MS}. */
export const SUSPECT_AFTER_MS = 1000;
export const HEARTBEAT_MS = 250;

/** `up`: heard of lately; `suspect`: connected but silent, or not heard of yet; `down`: no connection. */
export type PeerState = 'up' | 'suspect' | 'down';

interface Peer {
  connected: boolean;
  /** This node's monotonic clock when it last heard of the peer over this connection; undefined before. */
  heardMs: number | undefined;
  mayCoordinate: boolean;
}

/**
 * One node's own view of its peers, from connections and heartbeats. It never changes membership: it only says whom to ask first,
 * and which requests cannot succeed.
 *
 * Time is passed in, so that a node that was paused can look again before it judges: see {@link FailureDetector.resumed}.
 */
export class FailureDetector {
  private readonly peers = new Map<NodeId, Peer>();

  /** A connection alone says little: the process behind it may still be starting. */
  connected(id: NodeId): void {
    this.peers.set(id, { connected: true, heardMs: undefined, mayCoordinate: false });
  }

  disconnected(id: NodeId): void {
    const peer = this.peers.get(id);
    if (peer === undefined) return;
    peer.connected = false;
    peer.mayCoordinate = false;
  }

  /** A heartbeat: the peer knows the cluster state; it also says whether it holds a grant. */
  heard(id: NodeId, nowMs: number, mayCoordinate: boolean): void {
    const peer = this.peers.get(id);
    if (peer === undefined) return;
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

  /** Up, and under a grant of its own. */
  mayCoordinate(id: NodeId, nowMs: number): boolean {
    return this.isUp(id, nowMs) && this.peers.get(id)?.mayCoordinate === true;
  }
}
