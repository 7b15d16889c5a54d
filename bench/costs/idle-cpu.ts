import { settledMetrics } from '../cluster/cluster-metrics.ts';
import type { LocalCluster } from '../cluster/local-cluster.ts';
import { ProcessMeter } from '../cluster/process-meter.ts';
import { pause } from './pause.ts';

/**
 * Of the busiest node while nobody asks for anything: percent of one core. The clock of /proc goes by hundredths of a second, so that
 * 10 s tell 0.1 %. Undefined where processes cannot be watched.
 */
export async function idleCpuPercent(cluster: LocalCluster, seconds: number): Promise<number | undefined> {
  await settledMetrics(cluster.urls);
  const meters = cluster.pids.map((pid) => new ProcessMeter([pid]));
  const startMs = performance.now();
  await pause(seconds);
  const tookUs = (performance.now() - startMs) * 1000;
  const shares = meters.flatMap((meter) => meter.used()?.cpuUs ?? []).map((cpuUs) => (100 * cpuUs) / tookUs);
  return shares.length === 0 ? undefined : Math.round(Math.max(...shares) * 100) / 100;
}
