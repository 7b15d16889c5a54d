import { readFileSync } from 'node:fs';

/** What a process has used since its start, and holds now. */
export interface ProcessReading {
  /** User and system time, microseconds. */
  readonly cpuUs: number;
  /** Resident memory that is no mapped file (RssAnon): heaps, buffers, stacks. */
  readonly anonBytes: number;
  /** Sent to the disk on its behalf, in whole pages; without the file system's own journal. */
  readonly writtenBytes: number;
}

/** Of several processes, all together since the meter was made. */
export interface ProcessUsage {
  readonly cpuUs: number;
  readonly writtenBytes: number;
}

/** What processes of this machine use, as Linux tells in /proc. Elsewhere, and once one of them has ended, it is undefined. */
export class ProcessMeter {
  private readonly pids: readonly number[];
  private readonly before: readonly ProcessReading[] | undefined;

  constructor(pids: readonly number[]) {
    this.pids = pids;
    this.before = readings(pids);
  }

  used(): ProcessUsage | undefined {
    const now = readings(this.pids);
    if (this.before === undefined || now === undefined) return undefined;
    const sum = (name: 'cpuUs' | 'writtenBytes', all: readonly ProcessReading[]): number =>
      all.reduce((total, one) => total + one[name], 0);
    const grown = (name: 'cpuUs' | 'writtenBytes', before = this.before ?? []): number =>
      sum(name, now) - sum(name, before);
    return { cpuUs: grown('cpuUs'), writtenBytes: grown('writtenBytes') };
  }
}

/** Of each process, in their order; undefined unless all can be read. No process is no reading either. */
export function readings(pids: readonly number[]): readonly ProcessReading[] | undefined {
  if (pids.length === 0) return undefined;
  try {
    return pids.map(reading);
  } catch {
    return undefined;
  }
}

/** See proc(5). */
function reading(pid: number): ProcessReading {
  const file = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');
  // The name in parentheses may hold anything, these too.
  const stat = file('stat');
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
  const ticks = Number(fields[UTIME]) + Number(fields[STIME]);
  const io = file('io');
  return {
    cpuUs: ticks * US_PER_TICK,
    anonBytes: numberAfter('RssAnon:', file('status')) * KIB,
    writtenBytes: numberAfter('write_bytes:', io) - numberAfter('cancelled_write_bytes:', io),
  };
}

function numberAfter(name: string, text: string): number {
  const line = text.split('\n').find((one) => one.startsWith(name));
  const value = Number.parseInt(line?.slice(name.length) ?? '', 10);
  if (Number.isNaN(value)) throw new Error(`no ${name}`);
  return value;
}

/** Fields 14 and 15, of which the first two were cut off. */
const UTIME = 11;
const STIME = 12;
/** USER_HZ is 100 on all architectures that Node runs on. */
const US_PER_TICK = 10_000;
const KIB = 1024;
