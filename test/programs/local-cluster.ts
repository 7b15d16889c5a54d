/** A benchmark's cluster of one node in the folder of the first argument, and a way to end: `waits` until somebody ends it, or `throws`. */
import { LocalCluster } from '../../bench/cluster/local-cluster.ts';

const [folder = '', end] = process.argv.slice(2);
const cluster = await LocalCluster.start({ nodes: 1, folder });
process.stdout.write(`node ${cluster.pids}\n`);
if (end === 'throws') throw new Error('nobody catches this');
