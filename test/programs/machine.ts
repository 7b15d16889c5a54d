/** Measures the disk of the folder of the first argument, until somebody ends it. */
import { machine } from '../../bench/cluster/machine.ts';

const [folder = ''] = process.argv.slice(2);
for (;;) {
  const measured = machine(folder);
  process.stdout.write('measuring\n');
  await measured;
}
