/** What a node's `/metrics` said: sample name, labels included, to value. */
export type Metrics = ReadonlyMap<string, number>;

export function parseMetrics(text: string): Metrics {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
}

/** Throws where the node tells no such thing: a name that is mistyped must not look like a zero. */
export function metric(metrics: Metrics, name: string): number {
  const value = metrics.get(`quorate_${name}`);
  if (value === undefined) throw new Error(`no metric quorate_${name}`);
  return value;
}

/** How hints are brought to their owner, unless there are clients. */
export const HINT_METHODS: readonly string[] = ['replicate'];
export const EXCHANGE_METHODS: readonly string[] = ['sync', 'missing', 'compare'];

export function sentBytes(metrics: Metrics, methods: readonly string[]): number {
  return methods.reduce((sum, method) => sum + metric(metrics, `rpc_sent_bytes_total{method="${method}"}`), 0);
}
