/**
 * The whole command line with nodes that do nothing but behave: STUB_NODES maps a node's id to how. The supervisor starts this same
 * program for its children, so the tests see real processes, signals and exit codes.
 */
import { runCli } from '../../src/cli/program.ts';
import { invariant } from '../../src/core/invariant.ts';
import { FatalError } from '../../src/errors.ts';

/** `fatal`, `broken`, `rejects` fail at once; `stuck` never finishes stopping; the default drains when told to. */
export type StubBehaviour = 'drains' | 'fatal' | 'broken' | 'rejects' | 'stuck';

const behaviours: Readonly<Record<string, StubBehaviour>> = JSON.parse(process.env.STUB_NODES ?? '{}');

async function runNode(_config: unknown, id: string): Promise<{ stop(): Promise<void> }> {
  const behaviour = behaviours[id] ?? 'drains';
  if (behaviour === 'fatal') throw new FatalError(`${id}: the data folder is of another cluster`, 2);
  const alive = setInterval(() => undefined, 1000);
  if (behaviour === 'broken') setImmediate(() => invariant(false, `${id} has a broken invariant`));
  if (behaviour === 'rejects') void Promise.reject(new FatalError(`${id}: the disk failed`, 3));
  process.stdout.write(`ready ${id} pid ${process.pid}\n`);
  return {
    stop: async () => {
      if (behaviour === 'stuck') await new Promise(() => undefined);
      clearInterval(alive);
      process.stdout.write(`drained ${id}\n`);
    },
  };
}

process.exit(await runCli(process.argv.slice(2), { runNode, version: '0.0.0-stub' }));
