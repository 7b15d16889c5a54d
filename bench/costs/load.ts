import autocannon from 'autocannon';

/**
 * Puts (w=2, or w=1 where there is one node) in a closed loop for so long. `operations` are the successful ones; all that was sent
 * between the call and its answer is to be among them, with no warm-up left out, since what nodes used meanwhile is divided by them.
 * `clientCpuUs` is of the load generator, an operation.
 */
export type Load = (
  urls: readonly string[],
  seconds: number,
  connections: number,
) => Promise<{ readonly operations: number; readonly clientCpuUs: number }>;

/** Writes the first `keys` keys once each, and resolves when all are acknowledged. */
export type Fill = (urls: readonly string[], keys: number) => Promise<void>;

export interface PutOptions {
  readonly w: number;
  /** Drawn from uniformly, by the load. */
  readonly keys: number;
  readonly valueBytes: number;
}

/** A load of puts, by autocannon. Rejects when one does not succeed: what it costs would be unknown. */
export function putLoad(options: PutOptions): Load {
  const draw = putsOf(options);
  return async (urls, seconds, connections) => {
    const before = process.cpuUsage();
    const results = await spread(urls, connections, (share, url) => ({
      url,
      connections: share,
      duration: seconds,
      // Each connection has requests of its own, made beforehand: making one anew each time would cost the load generator as much again.
      setupClient: (client) => {
        const requests = Array.from({ length: REQUESTS }, () => draw(Math.floor(Math.random() * options.keys)));
        client.setRequests(requests);
      },
    }));
    const { user, system } = process.cpuUsage(before);
    const operations = successes(results);
    return { operations, clientCpuUs: (user + system) / operations };
  };
}

/** Puts of the keys in turn, by autocannon. Rejects when one does not succeed. */
export function putFill({ connections, ...options }: PutOptions & { readonly connections: number }): Fill {
  const put = putsOf(options);
  return async (urls, keys) => {
    let next = 0;
    const results = await spread(urls, connections, (share, url) => ({
      url,
      connections: share,
      // A key that one generator took is written when all have had their answers: those that draw too many begin anew.
      amount: Math.ceil(keys / urls.length) + share,
      requests: [{ setupRequest: (sent) => ({ ...sent, ...put(next++ % keys) }) }],
    }));
    const written = successes(results);
    if (written < keys) throw new Error(`${written} of ${keys} keys were written`);
  };
}

/** 64 connections have 32,000 between them. */
const REQUESTS = 500;

function putsOf({ w, valueBytes }: PutOptions): (key: number) => autocannon.Request {
  const body = Buffer.alloc(valueBytes, 'quorate');
  return (key) => ({ method: 'PUT', path: `/v1/kv/bench/key-${key}?w=${w}`, body });
}

/** One load generator for each URL, the connections shared out; each has one at least. */
function spread(
  urls: readonly string[],
  connections: number,
  optionsOf: (connections: number, url: string) => autocannon.Options,
): Promise<autocannon.Result[]> {
  return Promise.all(
    urls.map((url, i) => autocannon(optionsOf(Math.max(1, Math.floor((connections + i) / urls.length)), url))),
  );
}

function successes(results: readonly autocannon.Result[]): number {
  const sum = (read: (result: autocannon.Result) => number): number =>
    results.reduce((total, result) => total + read(result), 0);
  const failed = sum(({ errors, timeouts, non2xx }) => errors + timeouts + non2xx);
  if (failed > 0) throw new Error(`${failed} puts did not succeed`);
  return sum((result) => result['2xx']);
}
