import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
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

  constructor(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const path = fileURLToPath(new URL(`../dist/${script}`, import.meta.url));
    this.child = spawn(process.execPath, [path, ...args], { env: { ...process.env, ...env }, stdio: 'pipe' });
    this.child.stdout?.on('data', (chunk: Buffer) => this.took(this.out, chunk));
    // A program may end without having read what it was given.
    this.child.stdin?.on('error', () => undefined);
    this.child.stderr?.on('data', (chunk: Buffer) => this.took(this.err, chunk));
  }

  get stdout(): string {
    return Buffer.concat(this.out).toString('utf8');
  }

  get stderr(): string {
    return Buffer.concat(this.err).toString('utf8');
  }

  /** Resolves once stdout and stderr together match. The test's own time limit ends the wait. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(`${this.stdout}\n${this.stderr}`);
      if (match !== null) return match;
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  /** Gives it `input` on stdin and waits for its end. */
  async finish(input: string | Uint8Array = ''): Promise<Finished> {
    this.child.stdin?.end(input);
    return this.ended();
  }

  /** The pipes close only when every process that holds them has ended, children of the program too. */
  async ended(): Promise<Finished> {
    const closed = this.child.stdout?.closed === true && this.child.exitCode !== null;
    if (!closed) await once(this.child, 'close');
    const { exitCode: code, signalCode: signal } = this.child;
    return { code, signal, stdout: Buffer.concat(this.out), stderr: this.stderr };
  }

  private took(chunks: Buffer[], chunk: Buffer): void {
    chunks.push(chunk);
    for (const wake of this.watchers) wake();
    this.watchers.clear();
  }
}

/** Runs `dist/src/main.js` to its end. */
export function quorate(args: readonly string[], input?: string | Uint8Array): Promise<Finished> {
  return new Program('src/main.js', args).finish(input);
}
