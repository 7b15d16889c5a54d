import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RecordedRequest {
  readonly method: string;
  /** As it came over the wire, encoded. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** `cut` ends the connection after the request has been read, without an answer; `silence` never answers. */
export type CannedAnswer =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
    }
  | 'cut'
  | 'silence';

/** A real HTTP server on a free port of loopback that answers as told and remembers what it was asked. */
export class CannedServer {
  readonly requests: RecordedRequest[] = [];
  private readonly server: Server;

  private constructor(answer: (request: RecordedRequest) => CannedAnswer) {
    this.server = createServer(async (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const { method = '', url: target = '', headers } = incoming;
      const request = { method, target, headers, body: Buffer.concat(chunks).toString('utf8') };
      this.requests.push(request);
      const canned = answer(request);
      if (canned === 'cut') incoming.socket.destroy();
      else if (canned !== 'silence') outgoing.writeHead(canned.status, canned.headers).end(canned.body ?? '');
    });
  }

  static async start(answer: (request: RecordedRequest) => CannedAnswer): Promise<CannedServer> {
    const canned = new CannedServer(answer);
    await new Promise<void>((resolve) => canned.server.listen(0, '127.0.0.1', resolve));
    return canned;
  }

  /** `127.0.0.1:PORT`. */
  get address(): string {
    const { port } = this.server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A problem document as api.md has them. */
export function problem(status: number, code: string, title: string, detail: string, more: object = {}): CannedAnswer {
  const document = { type: 'about:blank', title, status, code, detail, instance: '/v1/kv/carts/42', ...more };
  return { status, headers: { 'content-type': 'application/problem+json' }, body: JSON.stringify(document) };
}

/** The headers of every answer about a key. */
export const FACTS = {
  'causal-context': 'AbC_-1',
  'quorate-quorum': 'r=2/2; owners=2; fallbacks=0; hedged=0',
  'quorate-epoch': '17',
  'quorate-node': 'n2',
};

/** An address of loopback where nothing listens. */
export async function closedAddress(): Promise<string> {
  const server = await CannedServer.start(() => 'cut');
  const { address } = server;
  await server.stop();
  return address;
}
