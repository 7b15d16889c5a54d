import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What becomes of the bytes that go one way.
 *
 * `open`: they arrive. `held`: they wait and arrive, late, once it is open again: TCP has sent them again. `lost`: they are gone, and
 * once it is open again the connection breaks, as neither side could go on with it.
 */
export type Passage = 'open' | 'held' | 'lost';

interface Connection {
  readonly there: Pipe;
  readonly back: Pipe;
  /** Was dialed while nothing came through: it will not come about any more. */
  readonly isStillborn: boolean;
}

/**
 * Where one node dials another: passes bytes on to the real port, or does not.
 *
 * Either way can be closed by itself, and the connections stay as they are meanwhile: neither side is told.
 */
export class LinkProxy {
  private readonly server: Server;
  private readonly targetPort: number;
  private readonly connections = new Set<Connection>();
  private there: Passage = 'open';
  private back: Passage = 'open';
  private isRefusing = false;

  private constructor(targetPort: number) {
    this.targetPort = targetPort;
    this.server = createServer((socket) => this.accept(socket));
  }

  /** Listens on a free port of loopback. */
  static async to(targetPort: number): Promise<LinkProxy> {
    const proxy = new LinkProxy(targetPort);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  /** `there`: from the node that dials to the one that listens. */
  set(way: 'there' | 'back', passage: Passage): void {
    this[way] = passage;
    for (const connection of this.connections) connection[way].set(passage);
    this.endWhatCannotGoOn();
  }

  /** Ends every connection and each new one at once; false: no more. */
  refuse(isRefusing: boolean): void {
    this.isRefusing = isRefusing;
    if (isRefusing) for (const connection of this.connections) end(connection);
  }

  close(): void {
    this.refuse(true);
    this.server.close();
  }

  private get isOpen(): boolean {
    return this.there === 'open' && this.back === 'open';
  }

  private accept(socket: Socket): void {
    if (this.isRefusing) {
      socket.resetAndDestroy();
      return;
    }
    const target = connect({ host: '127.0.0.1', port: this.targetPort, noDelay: true });
    socket.setNoDelay(true);
    const there = new Pipe(socket, target, this.there);
    const back = new Pipe(target, socket, this.back);
    const connection: Connection = { there, back, isStillborn: !this.isOpen };
    this.connections.add(connection);
    const forget = (): void => {
      if (socket.destroyed && target.destroyed) this.connections.delete(connection);
    };
    socket.on('close', forget);
    target.on('close', forget);
  }

  private endWhatCannotGoOn(): void {
    for (const connection of this.connections) {
      const isBroken = connection.there.isBroken || connection.back.isBroken;
      if (isBroken || (connection.isStillborn && this.isOpen)) end(connection);
    }
  }
}

function end({ there, back }: Connection): void {
  there.source.destroy();
  back.source.destroy();
}

/** One direction of one connection. */
class Pipe {
  readonly source: Socket;
  private readonly sink: Socket;
  private passage: Passage;
  private isCongested = false;
  private hasMissed = false;

  constructor(source: Socket, sink: Socket, passage: Passage) {
    this.source = source;
    this.sink = sink;
    this.passage = passage;
    source.on('data', (chunk: Buffer) => this.took(chunk));
    source.on('error', () => source.destroy());
    source.on('close', () => this.sourceClosed());
    sink.on('drain', () => this.flow(false));
    this.flow(false);
  }

  /** What came while it was not open is missing, and it is open again. */
  get isBroken(): boolean {
    return this.hasMissed && this.passage === 'open';
  }

  set(passage: Passage): void {
    this.passage = passage;
    this.flow(this.isCongested);
  }

  private took(chunk: Buffer): void {
    if (this.passage === 'lost') this.hasMissed = true;
    else if (!this.sink.write(chunk)) this.flow(true);
  }

  /** The other side learns of the end as it would of any other byte. */
  private sourceClosed(): void {
    if (this.passage === 'open') this.sink.destroySoon();
    else this.hasMissed = true;
  }

  private flow(isCongested: boolean): void {
    this.isCongested = isCongested;
    if (this.passage === 'held' || (isCongested && this.passage === 'open')) this.source.pause();
    else this.source.resume();
  }
}
