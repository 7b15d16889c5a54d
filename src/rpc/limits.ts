/** What one node may take of another's memory and time. */
export interface RpcLimits {
  /** The largest message. */
  readonly frameBytesMax: number;
  /** Per peer: sent, but not yet handed to the system. */
  readonly queueBytesMax: number;
  /** From dialing, or accepting, to the end of the handshake. */
  readonly handshakeMs: number;
  /** Connections accepted whose handshake is not complete; one more ends the oldest of them. */
  readonly strangersMax: number;
  /** How long stopping waits for peers that do not read. */
  readonly stopMs: number;
}

export const DEFAULT_RPC_LIMITS: RpcLimits = {
  frameBytesMax: 64 * 1024 * 1024,
  queueBytesMax: 64 * 1024 * 1024,
  handshakeMs: 2_000,
  strangersMax: 64,
  stopMs: 2_000,
};

/** Idle time after which the system probes a connection. It only frees what is dead; heartbeats notice a silent peer sooner. */
export const KEEP_ALIVE_MS = 10_000;
