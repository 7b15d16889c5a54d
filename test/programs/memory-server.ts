/** A benchmark that has started the server in memory, and waits until somebody ends it. */
import { memoryTarget } from '../../bench/command/memory-target.ts';

const target = await memoryTarget();
process.stdout.write(`server ${target.pids()}\n`);
