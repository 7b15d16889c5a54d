import type { Machine } from './bench-report.ts';
import { decimalBytes, digits, milliseconds } from './units.ts';

/** All that the figures depend on, in one line: processors, memory, versions, disk, and what else was going on. */
export function machineText({ cpu, cores, memoryBytes, kernel, node, flush, isDiskInMemory, load }: Machine): string {
  const disk =
    flush === undefined
      ? 'flush not measured'
      : `a flush of 4 KiB takes ${milliseconds(flush.p50Ms)} (p99 ${milliseconds(flush.p99Ms)})`;
  const memory = `${decimalBytes(memoryBytes)} of memory`;
  const versions = `${kernel}, Node ${node.replace(/^v/, '')}`;
  const place = isDiskInMemory ? '; the disk of the nodes is in memory, so that nothing outlives a power cut' : '';
  return `${cores} × ${cpu}, ${memory}, ${versions}; ${disk}${place}; load average at the start ${digits(load)}`;
}
