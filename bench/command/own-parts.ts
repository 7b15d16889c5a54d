import { PUT } from '../load/mix.ts';
import type { Series } from '../report/bench-report.ts';
import { ask, type BenchBase, essence, fewer, fillWith, withCluster } from './bench.ts';
import type { OwnPart } from './options.ts';
import { outage } from './outage.ts';
import { wayOf } from './target.ts';

/** What the parts ask that start clusters of their own. */
export const OWN_WORK: Readonly<Record<Exclude<OwnPart, 'costs'>, (bench: BenchBase) => Promise<unknown>>> = {
  outage,
  durability,
  nodes,
  keys,
};

const NODES = [1, 3, 5, 7];
const NODES_KEYS = 10_000;
const KEYS = [10_000, 100_000, 1_000_000];

/** What a flush before each acknowledgement costs. */
function durability(bench: BenchBase): Promise<readonly Series[]> {
  const settings = { keys: NODES_KEYS };
  return withCluster(bench, { ...settings, durability: 'flush' }, (flushed) =>
    withCluster(bench, { ...settings, durability: 'os' }, (relaxed) =>
      bench.runner.ask(
        [flushed, relaxed].flatMap((target) => {
          const write = wayOf(target.store.writes, 'quorum');
          return ask(bench, target, {
            section: 'durability',
            workload: write.label,
            mix: PUT,
            write,
            keys: NODES_KEYS,
          });
        }),
      ),
    ),
  );
}

async function nodes(bench: BenchBase): Promise<void> {
  for (const count of NODES) {
    await withCluster(bench, { nodes: count, n: Math.min(count, 3), keys: NODES_KEYS }, (target) =>
      bench.runner.ask(essence(bench, target, 'nodes', { keys: NODES_KEYS }), fewer(bench)),
    );
  }
}

/** One cluster that grows. */
async function keys(bench: BenchBase): Promise<void> {
  await withCluster(bench, { keys: 0 }, async (target) => {
    for (const count of KEYS) {
      await fillWith(bench.runner, target, count, bench.options.valueBytes);
      await bench.runner.ask(essence(bench, target, 'keys', { keys: count }), fewer(bench));
    }
  });
}
