import { type ChildProcess, spawn } from 'node:child_process';
import type { ClusterConfig } from '../config/cluster-config.ts';
import { EXIT } from './exit-codes.ts';
import { stopRequest } from './stop-signals.ts';
import { say } from './terminal.ts';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** After the drain limit the node's own margin comes first (node-process.ts), then this. */
const KILL_MARGIN_MS = 5000;

/**
 * Runs every node of the configuration as a child process until all have ended. A child that dies is neither started again nor
 * a reason to stop the others. SIGTERM and SIGINT stop all: SIGTERM to each, SIGKILL to those that overrun the drain limit or at
 * a second signal. Each child holds a channel to this process and drains when that breaks, so that nothing outlives `kill -9` here.
 *
 * Returns 0 when a stop was asked for and every child ended with 0, else 1.
 */
export async function supervise(config: ClusterConfig, file: string): Promise<number> {
  const children = new Map(config.nodes.map(({ id }) => [id, startNode(file, id)]));
  let stopping = false;
  void stopRequest(() => signalAll(children, 'SIGKILL')).then((reason) => {
    stopping = true;
    say(`stopping all nodes (${reason})`);
    signalAll(children, 'SIGTERM');
    setTimeout(() => signalAll(children, 'SIGKILL'), config.timeouts.drainMs + KILL_MARGIN_MS).unref();
  });
  const ends = await Promise.all(
    Array.from(children, async ([id, child]) => {
      const end = await ended(child);
      if (!stopping || end.code !== 0) say(describeEnd(id, end));
      return end;
    }),
  );
  return stopping && ends.every(({ code }) => code === 0) ? EXIT.ok : EXIT.error;
}

/** This same program once more, with its output where ours goes. */
function startNode(file: string, id: string): ChildProcess {
  const script = process.argv[1] ?? '';
  const args = [...process.execArgv, script, 'start', '--config', file, '--node', id];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  say(`${id} runs as process ${child.pid ?? '(not started)'}`);
  return child;
}

function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      say(error.message);
      resolve({ code: EXIT.error, signal: null });
    });
  });
}

function signalAll(children: ReadonlyMap<string, ChildProcess>, signal: NodeJS.Signals): void {
  for (const child of children.values()) child.kill(signal);
}

function describeEnd(id: string, { code, signal }: Ended): string {
  return signal === null ? `${id} ended with exit code ${code}` : `${id} was ended by ${signal}`;
}
