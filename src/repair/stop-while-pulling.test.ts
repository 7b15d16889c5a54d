/** A node that is told to end (SIGTERM) while it takes in what it has missed. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { put } from '../../test/requests.ts';

const KEYS = Array.from({ length: 12 }, (_, i) => `key-${i}`);

let cluster: InProcessCluster;
let broken: unknown[];
const note = (error: unknown): number => broken.push(error);

beforeEach(async () => {
  broken = [];
  process.on('unhandledRejection', note);
  cluster = new InProcessCluster({ partitions: 2 });
  await cluster.start();
  for (const key of KEYS) await cluster.settle(cluster.node('n1').api.write(put(key, 'value', { w: 3 })));
  // Nobody remembers what was written to which key: the partitions are compared in full.
  for (const id of cluster.ids) {
    await cluster.stop(id);
    await cluster.launch(id);
  }
  await cluster.until(() => cluster.ids.every((id) => cluster.node(id).api.notReady() === undefined), 'all to serve');
});

afterEach(() => {
  process.off('unhandledRejection', note);
});

it('ends without touching its closed store, whatever moment of its catch-up that is', async () => {
  let pulled = 0;
  for (let waitMs = 0; waitMs < 16; waitMs++) {
    await cluster.stop('n3');
    cluster.wipe('n3');
    await cluster.launch('n3');
    const { antiEntropy } = cluster.node('n3');
    await cluster.until(() => antiEntropy.pulled.comparisons > 0, 'n3 to compare');
    await cluster.pass(waitMs);
    await cluster.stop('n3');
    pulled += antiEntropy.pulled.keys;
    const atTheEnd = { rounds: antiEntropy.rounds, ...antiEntropy.pulled };
    await cluster.pass(200);
    expect({ rounds: antiEntropy.rounds, ...antiEntropy.pulled }).toEqual(atTheEnd);
    expect(broken).toEqual([]);
    await cluster.launch('n3');
  }
  expect(pulled).toBeGreaterThan(0);
  expect(cluster.fatal).toEqual(new Map());
});
