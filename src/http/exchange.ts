import { IncomingMessage, type ServerResponse } from 'node:http';
import type { StoreError } from '../errors.ts';
import { noHeaders, type RequestHeaders } from './request-headers.ts';
import { splitTarget } from './request-target.ts';

/** A request as Node hands it over, and the exchange that it began. */
export class Incoming extends IncomingMessage {
  exchange: Exchange | undefined;
}

/** One request and its answer. */
export class Exchange {
  readonly incoming: Incoming;
  readonly outgoing: ServerResponse;
  readonly method: string;
  /** The target as it was sent; never decoded, never normalised. */
  readonly path: string;
  readonly query: string | undefined;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly awaitsContinue: boolean;
  readonly startedMs: number;
  readonly targetBytes: number;
  /** The methods of the route, once one was asked for that it does not have. */
  allow: string | undefined;
  headers: RequestHeaders = NO_HEADERS;
  /** Bytes of the bodies, sent and answered, counted against the node's limit. */
  heldBytes = 0;
  /** Ends the wait for the body; set while it is being collected. */
  failBody: ((error: StoreError) => void) | undefined;

  constructor(incoming: Incoming, outgoing: ServerResponse, awaitsContinue: boolean, startedMs: number) {
    const sent = incoming.url ?? '';
    const target = splitTarget(sent);
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.method = incoming.method ?? '';
    this.path = target.path;
    this.query = target.query;
    this.awaitsContinue = awaitsContinue;
    this.startedMs = startedMs;
    this.targetBytes = sent.length;
  }

  /** Whether the request has a body, be it one that has not arrived. */
  get hasBody(): boolean {
    const { contentLength, transferEncoding } = this.headers;
    return transferEncoding !== undefined || (contentLength !== undefined && Number(contentLength) > 0);
  }
}

const NO_HEADERS = noHeaders();
