import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EXIT } from './exit-codes.ts';

/** A program of its own, which comes with this one: the store does not carry what only its benchmark needs. */
const PROGRAM = fileURLToPath(new URL('../../bench/run.js', import.meta.url));

/** Runs the benchmark with this terminal, and returns its exit code. A signal is passed on, and then waited for. */
export async function bench(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: 'inherit' });
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, passOn);
  try {
    const [code]: unknown[] = await once(child, 'close');
    return typeof code === 'number' ? code : EXIT.error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, passOn);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
