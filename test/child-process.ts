import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A compiled program of this repository (`src/main.js`) as a real process. `npm test` compiles before it runs the tests. */
export class Program {
  readonly child: ChildProcess;
  private readonly out: Buffer[] = [];
  private readonly err: Buffer[] = [];
  private readonly watchers = new Set<() => void>();
  private readonly end: Promise<Finished>;
  private hasEnded = false;

  constructor(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const options = { env: { ...process.env, ...env }, stdio: 'pipe' } as const;
    this.child = spawn(process.execPath, [compiled(script), ...args], options);
    this.child.stdout?.on('data', (chunk: Buffer) => this.took(this.out, chunk));
    // A program may end without having read what it was given.
    this.child.stdin?.on('error', () => undefined);
    this.child.stderr?.on('data', (chunk: Buffer) => this.took(this.err, chunk));
    this.end = once(this.child, 'close').then(() => this.finished());
  }

  get stdout(): string {
    return Buffer.concat(this.out).toString('utf8');
  }

  get stderr(): string {
    return Buffer.concat(this.err).toString('utf8');
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /**
   * Resolves once stdout and stderr together match; rejects when the program ends without that.
   * The test's own time limit ends the wait.
   */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const output = `${this.stdout}\n${this.stderr}`;
      const match = pattern.exec(output);
      if (match !== null) return match;
      if (this.hasEnded) throw new Error(`the program ended before it said ${pattern}:\n${output}`);
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  /** Gives it `input` on stdin and waits for its end. */
  async finish(input: string | Uint8Array = ''): Promise<Finished> {
    this.child.stdin?.end(input);
    return this.ended();
  }

  /** The pipes close only when every process that holds them has ended, children of the program too. */
  ended(): Promise<Finished> {
    return this.end;
  }

  private finished(): Finished {
    this.hasEnded = true;
    this.wake();
    const { exitCode: code, signalCode: signal } = this.child;
    return { code, signal, stdout: Buffer.concat(this.out), stderr: this.stderr };
  }

  private took(chunks: Buffer[], chunk: Buffer): void {
    chunks.push(chunk);
    this.wake();
  }

  private wake(): void {
    for (const watcher of this.watchers) watcher();
    this.watchers.clear();
  }
}

/** Where the compiled script is: this file is itself run from its source, or compiled. */
function compiled(script: string): string {
  const places = [`../dist/${script}`, `../${script}`].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const path = places.find((place) => existsSync(place));
  if (path === undefined) throw new Error(`${script} is not compiled: npm run build`);
  return path;
}

/** Runs `dist/src/main.js` to its end. */
export function quorate(args: readonly string[], input?: string | Uint8Array): Promise<Finished> {
  return new Program('src/main.js', args).finish(input);
}
