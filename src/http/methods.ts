import { StoreError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import type { Handler } from './request-runner.ts';

/** A route's handlers by method. GET answers HEAD too: without the body. */
export type Methods = Readonly<Partial<Record<'GET' | 'PUT' | 'POST' | 'DELETE', Handler>>>;

/** One handler of them all; a method that is not among them is a 405 with `Allow`. */
export function byMethod(methods: Methods): Handler {
  const handlers = new Map(Object.entries(methods));
  const get = handlers.get('GET');
  if (get !== undefined) handlers.set('HEAD', get);
  const allow = [...handlers.keys()].join(', ');
  return async (exchange) => {
    const handler = handlers.get(exchange.method);
    if (handler === undefined) throw methodNotAllowed(exchange, allow);
    return handler(exchange);
  };
}

export function methodNotAllowed(exchange: Exchange, allow: string): StoreError {
  exchange.allow = allow;
  return new StoreError('method-not-allowed', `${exchange.method} is not among ${allow}`);
}

/** For methods without a body. Errors: `bad-body`. */
export function refuseBody(exchange: Exchange): void {
  if (exchange.hasBody) throw new StoreError('bad-body', `${exchange.method} takes no body here`);
}

/** A route of the contract that is not built yet. */
export function notSupportedYet(what: string): Handler {
  return async () => {
    throw new StoreError('not-supported', `${what} is not supported yet`, { field: what });
  };
}
