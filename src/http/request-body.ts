import { StoreError } from '../errors.ts';
import type { Exchange } from './exchange.ts';

/**
 * Counts the bytes of bodies in memory: those of requests until they are answered, those of answers until the client has taken them.
 * What is held before everything else may be over the limit by itself: siblings could never be read otherwise.
 */
export class BodyBudget {
  heldBytes = 0;
  private readonly bytesMax: number;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Errors: `overloaded`. */
  take(exchange: Exchange, bytes: number): void {
    if (this.heldBytes > 0 && this.heldBytes + bytes > this.bytesMax) {
      throw new StoreError(
        'overloaded',
        'too many bytes of requests, and of answers that are not read, are being held',
      );
    }
    this.heldBytes += bytes;
    exchange.heldBytes += bytes;
  }

  /** The exchange holds so many bytes and no others, whatever the limit: the answer is under way. */
  hold(exchange: Exchange, bytes: number): void {
    this.heldBytes += bytes - exchange.heldBytes;
    exchange.heldBytes = bytes;
  }

  release(exchange: Exchange): void {
    this.heldBytes -= exchange.heldBytes;
    exchange.heldBytes = 0;
  }
}

/** The client went away before its request was complete: nobody is left to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

const EMPTY = Buffer.alloc(0);

/**
 * The whole body, or an error: half a body never becomes a value. A declared length over `bytesMax` is refused before
 * `100 Continue`; an undeclared one is counted while it arrives.
 *
 * Errors: `value-too-large`, `overloaded`, `bad-body` (what arrives is not HTTP, or too slow), {@link ClientGone}.
 */
export function collectBody(exchange: Exchange, bytesMax: number, budget: BodyBudget): Promise<Buffer> {
  const { contentLength, transferEncoding } = exchange.headers;
  const declared = transferEncoding === undefined ? Number(contentLength ?? 0) : undefined;
  if (declared !== undefined && declared > bytesMax) throw tooLarge(bytesMax);
  if (declared !== undefined) budget.take(exchange, declared);
  if (exchange.awaitsContinue) exchange.outgoing.writeContinue();
  if (declared === 0) return Promise.resolve(EMPTY);
  return new Promise((resolve, reject) =>
    receive(exchange, new BodyParts(exchange, declared, bytesMax, budget), resolve, reject),
  );
}

function receive(
  exchange: Exchange,
  parts: BodyParts,
  resolve: (body: Buffer) => void,
  reject: (error: Error) => void,
): void {
  const { incoming } = exchange;
  const fail = (error: Error): void => {
    exchange.failBody = undefined;
    incoming.off('data', take);
    reject(error);
  };
  const take = (chunk: Buffer): void => {
    try {
      parts.add(chunk);
    } catch (error) {
      fail(error instanceof Error ? error : new Error('a body could not be taken', { cause: error }));
    }
  };
  // `close` comes after every end too: an error made for each of those took 9 % of the time of a PUT.
  const gone = (): void => {
    if (exchange.failBody !== undefined) fail(new ClientGone());
  };
  exchange.failBody = fail;
  incoming.on('data', take);
  incoming.on('end', () => {
    exchange.failBody = undefined;
    resolve(parts.whole());
  });
  incoming.on('error', gone);
  incoming.on('close', gone);
}

/** What has arrived. A body in one piece, the usual case, is not copied; one in many is copied once, when its length is known. */
class BodyParts {
  private readonly exchange: Exchange;
  private readonly declared: number | undefined;
  private readonly bytesMax: number;
  private readonly budget: BodyBudget;
  private readonly chunks: Buffer[] = [];
  private length = 0;
  private target: Buffer | undefined;

  constructor(exchange: Exchange, declared: number | undefined, bytesMax: number, budget: BodyBudget) {
    this.exchange = exchange;
    this.declared = declared;
    this.bytesMax = bytesMax;
    this.budget = budget;
  }

  add(chunk: Buffer): void {
    if (this.declared === undefined) {
      if (this.length + chunk.length > this.bytesMax) throw tooLarge(this.bytesMax);
      this.budget.take(this.exchange, chunk.length);
      this.chunks.push(chunk);
    } else if (chunk.length === this.declared) {
      this.target = chunk;
    } else {
      this.target ??= Buffer.allocUnsafeSlow(this.declared);
      chunk.copy(this.target, this.length);
    }
    this.length += chunk.length;
  }

  whole(): Buffer {
    return this.target ?? Buffer.concat(this.chunks, this.length);
  }
}

function tooLarge(bytesMax: number): StoreError {
  return new StoreError('value-too-large', `the body is over ${bytesMax} bytes`);
}
