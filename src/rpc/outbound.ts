import { connect, type Socket } from 'node:net';
import type { NodeId } from '../core/ids.ts';
import type { Clock, Logger, PeerAddress, Random, SendOutcome, Timer } from '../ports.ts';
import { encodeFrame, FrameReader } from './frame.ts';
import { encodeHello, HANDSHAKE_BYTES_MAX, type Identity, judgeAnswer } from './handshake.ts';
import { KEEP_ALIVE_MS, type RpcLimits } from './limits.ts';
import { SocketWriter } from './socket-writer.ts';

const BACK_OFF_MIN_MS = 50;
const BACK_OFF_MAX_MS = 2_000;

export interface OutboundContext {
  readonly self: Identity;
  readonly limits: RpcLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  connected(peer: NodeId): void;
  disconnected(peer: NodeId, reason: string): void;
}

/**
 * The connection that this node dials to one peer, and all that it sends there. Dials again for as long as it is not closed.
 *
 * A connection that was lost, and the first of several equal failures to get one, is logged and reported as disconnected.
 */
export class Outbound {
  readonly address: PeerAddress;
  private readonly peer: NodeId;
  private readonly context: OutboundContext;
  private socket: Socket | undefined;
  /** Defined while messages can be sent. */
  private writer: SocketWriter | undefined;
  private timer: Timer | undefined;
  private failures = 0;
  private closed = false;
  private reason: string | undefined;
  private reported: string | undefined;

  constructor(peer: NodeId, address: PeerAddress, context: OutboundContext) {
    this.peer = peer;
    this.address = address;
    this.context = context;
  }

  send(message: Uint8Array): SendOutcome {
    if (this.writer === undefined) return 'disconnected';
    if (message.length <= this.context.limits.frameBytesMax) return this.writer.send(message);
    this.context.logger.error({ peer: this.peer, bytes: message.length }, 'message larger than a frame may be');
    return 'full';
  }

  dial(): void {
    const { limits, clock } = this.context;
    const socket = connect({ ...this.address, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    const reader = new FrameReader(HANDSHAKE_BYTES_MAX, (frame) => this.onFrame(socket, frame));
    this.socket = socket;
    this.reason = undefined;
    this.timer = clock.after(limits.handshakeMs, () => this.abandon(`no answer within ${limits.handshakeMs} ms`));
    socket.on('connect', () => socket.write(encodeFrame(encodeHello(this.context.self, this.peer))));
    socket.on('data', (chunk) => {
      if (!reader.push(chunk)) this.abandon('the answer is not a handshake');
    });
    socket.on('end', () => this.abandon('closed by the peer'));
    socket.on('error', (error) => this.abandon(error.message));
    socket.on('close', () => this.lost());
  }

  /** The peer is there, for it has just dialed this node: what is left of the wait before the next attempt is not waited for. */
  dialAgain(): void {
    const isWaiting = this.socket === undefined && this.timer !== undefined;
    if (this.closed || !isWaiting) return;
    this.timer?.cancel();
    this.dial();
  }

  /** Ends the connection at once; what was not yet written is lost. */
  drop(reason: string): void {
    this.closed = true;
    this.timer?.cancel();
    this.abandon(reason);
  }

  /** Ends the connection once all that was sent has been handed to the system, or `stopMs` later. */
  async finish(): Promise<void> {
    const { socket, writer } = this;
    if (writer === undefined || socket === undefined) return this.drop('stopped');
    this.closed = true;
    this.writer = undefined;
    const timer = this.context.clock.after(this.context.limits.stopMs, () => socket.destroy());
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    writer.end();
    await gone;
    timer.cancel();
  }

  private onFrame(socket: Socket, frame: Buffer): void {
    if (this.writer !== undefined) {
      this.abandon('the peer sent a message on a connection that is not its own');
      return;
    }
    const verdict = judgeAnswer(frame, this.context.self, this.peer);
    if (verdict.kind === 'accepted') this.established(socket, verdict.incarnation);
    else this.abandon(`${verdict.kind}: ${verdict.reason}`);
  }

  private established(socket: Socket, incarnation: Uint8Array): void {
    this.timer?.cancel();
    this.writer = new SocketWriter(socket, this.context.limits.queueBytesMax);
    this.failures = 0;
    this.reported = undefined;
    const fields = { peer: this.peer, ...this.address, incarnation: Buffer.from(incarnation).toString('hex') };
    this.context.logger.info(fields, 'connected');
    this.context.connected(this.peer);
  }

  /** The first reason counts: what follows on the same socket is its consequence. */
  private abandon(reason: string): void {
    this.reason ??= reason;
    this.socket?.destroy();
  }

  private lost(): void {
    const wasUp = this.writer !== undefined;
    const reason = this.reason ?? 'closed';
    this.writer = undefined;
    this.socket = undefined;
    this.timer?.cancel();
    if (!this.closed) this.timer = this.context.clock.after(this.backOffMs(), () => this.dial());
    if (!wasUp && (this.closed || reason === this.reported)) return;
    this.reported = reason;
    this.context.logger.warn({ peer: this.peer, ...this.address, reason }, wasUp ? 'disconnected' : 'cannot connect');
    this.context.disconnected(this.peer, reason);
  }

  /** Doubles with every failure; the upper half is left to chance, so that peers do not come back all at once. */
  private backOffMs(): number {
    const ceiling = Math.min(BACK_OFF_MIN_MS * 2 ** this.failures, BACK_OFF_MAX_MS);
    this.failures++;
    return ceiling * (0.5 + 0.5 * this.context.random.next());
  }
}
