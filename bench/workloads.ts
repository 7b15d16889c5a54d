import type { Request } from 'autocannon';

/** One kind of request, as the store that is measured takes it. */
export interface Workload {
  readonly name: string;
  request(key: string, value: Buffer): Request;
}

export interface Workloads {
  /** Also fills the store before anything is measured. */
  readonly put: Workload;
  readonly reads: readonly Workload[];
}

export const quoratePut = (w: number): Workload => ({
  name: `PUT w=${w}`,
  request: (key, value) => ({ method: 'PUT', path: `/v1/kv/bench/${key}?w=${w}`, body: value }),
});

export const quorateGet = (r: number): Workload => ({
  name: `GET r=${r}`,
  request: (key) => ({ method: 'GET', path: `/v1/kv/bench/${key}?r=${r}` }),
});

const base64 = (bytes: string | Buffer): string => Buffer.from(bytes).toString('base64');

/** etcd 3 over its JSON gateway (etcd.io/docs, "gRPC gateway"). Every put is flushed by a majority; a serializable range is answered by one member. */
const etcdRange = (name: string, serializable: boolean): Workload => ({
  name,
  request: (key) => ({
    method: 'POST',
    path: '/v3/kv/range',
    body: JSON.stringify({ key: base64(key), serializable }),
  }),
});

/** The stores to compare with, by the name that `--peer` takes. */
export const PEERS: ReadonlyMap<string, Workloads> = new Map([
  [
    'etcd',
    {
      put: {
        name: 'put',
        request: (key, value) => ({
          method: 'POST',
          path: '/v3/kv/put',
          body: JSON.stringify({ key: base64(key), value: base64(value) }),
        }),
      },
      reads: [etcdRange('linearizable range', false), etcdRange('serializable range', true)],
    },
  ],
]);
