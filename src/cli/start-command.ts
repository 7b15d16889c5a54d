import { loadConfig, nodeOf } from '../config/load-config.ts';
import { type RunNode, runNodeProcess } from './node-process.ts';
import { supervise } from './supervisor.ts';

export interface StartOptions {
  readonly config: string;
  /** Left out: every node of the file. */
  readonly node?: string;
}

/** Runs until stopped; the result is the exit code. Errors: `FatalError`, before anything is started where the file is at fault. */
export async function start({ config: file, node }: StartOptions, runNode: RunNode): Promise<number> {
  const config = loadConfig(file);
  if (node === undefined) return supervise(config, file);
  return runNodeProcess(config, nodeOf(config, node).id, runNode);
}
