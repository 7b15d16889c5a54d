import { createServer, type Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { FatalError, StoreError } from '../errors.ts';
import { Connection, problemOfParserError, writeProblem } from './connection.ts';
import { Edge, type EdgeOptions } from './edge.ts';
import { Exchange, Incoming } from './exchange.ts';
import { HEAD_BYTES_MAX } from './http-limits.ts';
import { kvHandler } from './kv-routes.ts';
import { type Handler, RequestRunner } from './request-runner.ts';
import { KV_PREFIX } from './request-target.ts';
import { type App, createRoutes } from './routes.ts';

export interface HttpServer {
  /** Resolves once connections are taken; port 0 takes a free one. Errors: FatalError naming host and port. */
  listen(host: string, port: number): Promise<{ readonly port: number }>;
  /** Takes no more connections, lets requests under way finish for `withinMs` at most, then ends all connections. */
  drain(withinMs: number): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
}

/** The HTTP edge of one node. */
export function createHttpServer(options: EdgeOptions): HttpServer {
  return new NodeHttpServer(new Edge(options));
}

/**
 * What the adapter sees instead of the target and its host, which it would refuse or rewrite where they are odd but good: routing
 * goes by the exchange's own path.
 */
const TARGET_WITH_HOST = 'http://localhost/';
/** How often connections are checked for requests that are too slow, and idle ones ended while draining. In ms. */
const CHECK_EVERY_MS = 500;
const DRAIN_CHECK_MS = 20;
/** A connection without a byte for so long is ended, be it that its client does not read. More than a request may take, 60 s. */
const SILENCE_MS_MAX = 120_000;
/** Connections at once, most of them idle: so many for each request that may be under way. */
const CONNECTIONS_PER_REQUEST = 4;
const CONNECTIONS_MIN = 1024;

class NodeHttpServer implements HttpServer {
  private readonly edge: Edge;
  private readonly server: Server<typeof Incoming, typeof ServerResponse>;
  private readonly connections = new WeakMap<Duplex, Connection>();
  /** Those on which no request has begun: Node does not count them as idle. */
  private readonly unused = new Set<Duplex>();
  private readonly runner: RequestRunner;
  private readonly kv: Handler;
  private readonly route: (incoming: Incoming, outgoing: ServerResponse) => Promise<void>;

  constructor(edge: Edge) {
    this.edge = edge;
    this.runner = new RequestRunner(edge, (exchange) => this.finished(exchange));
    this.kv = kvHandler(edge);
    this.route = listenerOf(createRoutes(edge, this.runner));
    const { headArrivalMs, arrivalMs, keepAliveMs } = edge.options.limits;
    this.server = createServer({
      IncomingMessage: Incoming,
      ServerResponse,
      // Node counts no separators: what it lets through is checked to the byte when the head is read.
      maxHeaderSize: HEAD_BYTES_MAX,
      // Node's own answer would have no problem document.
      requireHostHeader: false,
      headersTimeout: headArrivalMs,
      requestTimeout: arrivalMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, headArrivalMs),
      noDelay: true,
    });
    // Node would drop what is over its count without a word; the bytes are limited anyway.
    this.server.maxHeadersCount = 0;
    this.server.maxConnections = Math.max(CONNECTIONS_MIN, CONNECTIONS_PER_REQUEST * edge.options.limits.requests);
    this.server.setTimeout(SILENCE_MS_MAX);
    this.listenForRequests();
  }

  private listenForRequests(): void {
    this.server.on('connection', (socket) => {
      this.unused.add(socket);
      socket.once('close', () => {
        this.unused.delete(socket);
        this.connections.get(socket)?.closed();
      });
    });
    this.server.on('request', (incoming, outgoing) => this.accept(incoming, outgoing, false));
    this.server.on('checkContinue', (incoming, outgoing) => this.accept(incoming, outgoing, true));
    this.server.on('checkExpectation', (incoming, outgoing) => this.accept(incoming, outgoing, false));
    this.server.on('connect', (_incoming, socket) => {
      // Node has let go of this socket: its errors would be nobody's, and end the process.
      socket.on('error', () => socket.destroy());
      writeProblem(socket, new StoreError('method-not-allowed', 'CONNECT is not among the methods of this server'));
    });
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.failed(error.code, socket));
  }

  listen(host: string, port: number): Promise<{ readonly port: number }> {
    return new Promise((resolve, reject) => {
      const refuse = (cause: Error): void => {
        reject(new FatalError(`cannot listen on http://${host}:${port}: ${cause.message}`, 1, { cause }));
      };
      this.server.once('error', refuse);
      this.server.listen(port, host, () => {
        this.server.off('error', refuse);
        this.server.on('error', (error) => this.edge.options.logger.error({ err: error }, 'the HTTP server failed'));
        resolve({ port: portOf(this.server.address(), port) });
      });
    });
  }

  drain(withinMs: number): Promise<void> {
    this.edge.draining = true;
    return new Promise((resolve) => {
      const idle = setInterval(() => this.endIdle(), DRAIN_CHECK_MS);
      const end = setTimeout(() => this.server.closeAllConnections(), withinMs);
      this.server.close(() => {
        clearInterval(idle);
        clearTimeout(end);
        resolve();
      });
      this.endIdle();
    });
  }

  close(): Promise<void> {
    return this.drain(0);
  }

  private endIdle(): void {
    this.server.closeIdleConnections();
    for (const socket of this.unused) socket.destroy();
  }

  private accept(incoming: Incoming, outgoing: ServerResponse, awaitsContinue: boolean): void {
    const exchange = new Exchange(incoming, outgoing, awaitsContinue, this.edge.options.clock.monotonicMs());
    this.connectionOf(incoming.socket).add(exchange);
  }

  /** Keys and values, whose requests are many, go past Hono and its adapter; all else is found by them. */
  private serve(exchange: Exchange): void {
    this.edge.inFlight++;
    if (exchange.path.startsWith(KV_PREFIX)) {
      this.runner.run(exchange, this.kv);
      return;
    }
    const { incoming, outgoing } = exchange;
    incoming.exchange = exchange;
    incoming.url = TARGET_WITH_HOST;
    void this.route(incoming, outgoing);
  }

  private finished(exchange: Exchange): void {
    this.edge.inFlight--;
    this.connectionOf(exchange.incoming.socket).next();
  }

  private failed(code: string | undefined, socket: Duplex): void {
    const problem = problemOfParserError(code);
    if (problem === undefined) socket.destroy();
    else this.connectionOf(socket).fail(problem);
  }

  private connectionOf(socket: Duplex): Connection {
    let connection = this.connections.get(socket);
    if (connection === undefined) {
      const { budget, options } = this.edge;
      connection = new Connection(socket, budget, options.limits.takingMs, (exchange) => this.serve(exchange));
      this.connections.set(socket, connection);
      this.unused.delete(socket);
    }
    return connection;
  }
}

function listenerOf(app: App): (incoming: Incoming, outgoing: ServerResponse) => Promise<void> {
  const fetch = (request: Request, { incoming }: { readonly incoming: unknown }) =>
    app.fetch(request, incoming instanceof Incoming ? incoming.exchange : undefined);
  return getRequestListener(fetch, { overrideGlobalObjects: false, autoCleanupIncoming: false });
}

function portOf(address: AddressInfo | string | null, asked: number): number {
  return typeof address === 'object' && address !== null ? address.port : asked;
}
