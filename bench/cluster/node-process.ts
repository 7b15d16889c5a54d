import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What is kept of a node's output, in characters. */
const OUTPUT_MAX = 16_384;

/** A process of this build, mostly of the program that users run. Over a channel to this process it learns when that ends, and stops. */
export class NodeProcess {
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private readonly watchers = new Set<() => void>();
  private output = '';

  constructor(args: readonly string[], script = 'src/main.js') {
    this.child = spawn(process.execPath, [compiled(script), ...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.child.stdout?.on('data', (chunk: Buffer) => this.took(chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => this.took(chunk));
    this.child.on('error', (error) => this.took(`${error}\n`));
    this.ended = new Promise((resolve) => this.child.once('close', () => resolve()));
    void this.ended.then(() => this.wake());
    if (this.child.pid === undefined) throw new Error(`${process.execPath} could not be started`);
    this.pid = this.child.pid;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The end of what it has written to stdout and stderr. */
  get lastWords(): string {
    return this.output;
  }

  /** Resolves once the output matches. Rejects, with the end of the output, when the process ends without that, or too late. */
  async says(pattern: RegExp, withinMs: number): Promise<void> {
    const late = setTimeout(() => this.wake(), withinMs);
    const endMs = performance.now() + withinMs;
    try {
      while (!pattern.test(this.output)) {
        const isLate = performance.now() >= endMs;
        if (isLate || !this.isRunning) {
          throw new Error(`a process ${isLate ? 'did not say' : 'ended before it said'} ${pattern}:\n${this.output}`);
        }
        await new Promise<void>((resolve) => this.watchers.add(resolve));
      }
    } finally {
      clearTimeout(late);
    }
  }

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    await this.ended;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private took(chunk: Buffer | string): void {
    this.output = `${this.output}${chunk}`.slice(-OUTPUT_MAX);
    this.wake();
  }

  private wake(): void {
    for (const watcher of this.watchers) watcher();
    this.watchers.clear();
  }
}

/** This file is run compiled, beside the program, or from its source. */
function compiled(script: string): string {
  const places = [`../../${script}`, `../../dist/${script}`];
  const path = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((place) => existsSync(place));
  if (path === undefined) throw new Error(`${script} is not compiled: npm run build`);
  return path;
}
