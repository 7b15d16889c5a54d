import type { Socket } from 'node:net';
import { FRAME_HEADER_BYTES, FrameQueue } from './frame.ts';

/**
 * Sends frames over one connection, all of a turn of the event loop in one write.
 *
 * 1. Written in `setImmediate`, after every socket of the turn was read: the replies to all that came in share a system call.
 *    One write per frame costs several times as much; a microtask gathers fewer frames.
 * 2. At most one write is under way. While the peer does not read, frames gather here, up to the limit in bytes.
 */
export class SocketWriter {
  private readonly socket: Socket;
  private readonly queueBytesMax: number;
  private readonly queue = new FrameQueue();
  private inFlight: readonly Buffer[] = [];
  private inFlightBytes = 0;
  private scheduled = false;

  constructor(socket: Socket, queueBytesMax: number) {
    this.socket = socket;
    this.queueBytesMax = queueBytesMax;
  }

  /** Copies `message`. An empty queue takes a message of any size, so that none is refused for ever. */
  send(message: Uint8Array): 'sent' | 'full' {
    const queued = this.queue.bytes + this.inFlightBytes;
    if (queued > 0 && queued + FRAME_HEADER_BYTES + message.length > this.queueBytesMax) return 'full';
    this.queue.append(message);
    if (!this.scheduled && this.inFlightBytes === 0) {
      this.scheduled = true;
      setImmediate(this.flush);
    }
    return 'sent';
  }

  /** Hands all that was sent to the system and closes the socket; gives up after `destroy` from outside. */
  end(): void {
    this.write();
    this.socket.end(() => this.socket.destroy());
  }

  private readonly flush = (): void => {
    this.scheduled = false;
    if (this.inFlightBytes === 0) this.write();
  };

  private readonly written = (error?: Error | null): void => {
    if (error) return;
    this.queue.recycle(this.inFlight);
    this.inFlight = [];
    this.inFlightBytes = 0;
    if (!this.scheduled) this.write();
  };

  private write(): void {
    if (this.queue.bytes === 0 || !this.socket.writable) return;
    this.inFlightBytes += this.queue.bytes;
    this.inFlight = this.queue.take();
    const last = this.inFlight.length - 1;
    if (last > 0) this.socket.cork();
    this.inFlight.forEach((block, index) => {
      if (index === last) this.socket.write(block, this.written);
      else this.socket.write(block);
    });
    if (last > 0) this.socket.uncork();
  }
}
