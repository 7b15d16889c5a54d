import { it } from 'vitest';
import { InProcessCluster } from '/work/main/test/in-process-cluster.ts';
it('dbg', async () => {
  const cluster = new InProcessCluster();
  await cluster.start();
  const leader = () => cluster.node('n1').membership.leader ?? '';
  const t0 = Date.now();
  for (let i = 0; i < 1100; i++) await cluster.settle(cluster.node(leader()).api.putBucket(`fill-${i % 7}`, { r: 1 }, 10000));
  console.log('filled', Date.now() - t0, cluster.clock.monotonicMs());
  await cluster.pass(1000);
  for (const id of cluster.ids) { console.log(cluster.store(id).metaWithPrefix('raft/entry/').length); await cluster.crash(id); }
  cluster.log.length = 0;
  const t1 = Date.now();
  for (const id of cluster.ids) await cluster.launch(id);
  console.log('launched', Date.now() - t1);
  await cluster.pass(3000);
  console.log('passed', Date.now() - t1);
  console.log(cluster.log.slice(0, 30).join('\n'), cluster.fatal);
  for (const id of cluster.ids) console.log(id, cluster.node(id).api.notReady(), cluster.node(id).membership.raftMetrics, cluster.node(id).membership.leader);
}, 60000);
