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

/** Sent to other nodes, by method; of `methods` alone, when they are named. */
export function sentBytes(metrics: Metrics, methods?: readonly string[]): number {
  if (methods !== undefined) return methods.reduce((sum, method) => sum + metric(metrics, sample(method)), 0);
  return [...metrics].filter(([name]) => name.startsWith(`quorate_${SENT}`)).reduce((sum, [, value]) => sum + value, 0);
}

const SENT = 'rpc_sent_bytes_total{';
const sample = (method: string): string => `${SENT}method="${method}"}`;
