import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Job, Report } from './run-twice.ts';

/** No run takes nearly as long, unless something goes round in circles. */
const RUN_MAX_MS = 300_000;
/** One process per core has no core to spare for the threads that V8 compiles and collects with; and a refusal's stack tells nothing. */
const WORKER_FLAGS = ['--single-threaded', '--max-semi-space-size=64', '--stack-trace-limit=3'];

/** Processes that run seeds: a world takes the process it is in for itself, and there is one core for each of them. */
export class Pool {
  private readonly idle: Runner[] = [];
  private readonly waiting: ((runner: Runner) => void)[] = [];
  private readonly runners: readonly Runner[];

  constructor(size: number) {
    this.runners = Array.from({ length: size }, () => new Runner());
    this.idle.push(...this.runners);
  }

  get size(): number {
    return this.runners.length;
  }

  async run(job: Job): Promise<Report> {
    const runner = this.idle.pop() ?? (await new Promise<Runner>((resolve) => this.waiting.push(resolve)));
    try {
      return await runner.run(job);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.idle.push(runner);
      else next(runner);
    }
  }

  close(): void {
    for (const runner of this.runners) runner.close();
  }
}

/** One process, and its successor should it end. */
class Runner {
  private child: ChildProcess | undefined;

  /** A process that ends, or does not, instead of answering is a finding about the seed, not an error. */
  run(job: Job): Promise<Report> {
    this.child ??= fork(workerPath(), {
      execArgv: [...process.execArgv, ...WORKER_FLAGS],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const { child } = this;
    return new Promise((resolve) => {
      const finish = (report: Report): void => {
        clearTimeout(timer);
        child.off('message', finish).off('exit', ended);
        resolve(report);
      };
      const ended = (code: number | null, signal: string | null): void => {
        this.child = undefined;
        finish(failed(job, `the process that ran it ended (code ${code}, signal ${signal})`));
      };
      const timer = setTimeout(() => {
        this.close();
        finish(failed(job, `it was not over after ${RUN_MAX_MS} ms`));
      }, RUN_MAX_MS);
      child.on('message', finish).on('exit', ended);
      child.send(job);
    });
  }

  close(): void {
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }
}

function failed({ seed, twice }: Job, what: string): Report {
  return {
    ...{ seed, violations: [{ checker: 'process', what }], hash: '', tally: [], wasRepeated: twice },
    ...{ events: 0, virtualMs: 0, operations: 0, faults: 0, processorMs: 0 },
  };
}

/** Compiled, also where this file runs from its source. */
function workerPath(): string {
  const places = ['./worker.js', '../../dist/test/simulator/worker.js'];
  const path = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((file) => existsSync(file));
  if (path === undefined) throw new Error('the simulator is not compiled: npm run build');
  return path;
}
