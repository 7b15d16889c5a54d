import { Command, CommanderError, Option } from 'commander';
import { ClientError } from '../client/client-error.ts';
import { QuorateClient } from '../client/quorate-client.ts';
import { FatalError } from '../errors.ts';
import {
  type CatchUpOptions,
  catchUp,
  type RingOptions,
  ring,
  type StatusOptions,
  status,
} from './cluster-commands.ts';
import { type GetOptions, get, list, put, remove, type WriteOptions } from './data-commands.ts';
import { EXIT } from './exit-codes.ts';
import type { RunNode } from './node-process.ts';
import { levelFrom, metaEntry, timeoutMs, trueOrFalse } from './option-values.ts';
import type { StartOptions } from './start-command.ts';
import { say, tolerateClosedPipes } from './terminal.ts';

/** What the program needs of the floor above. */
export interface CliDependencies {
  readonly runNode: RunNode;
  readonly version: string;
}

interface UrlOption {
  readonly url: string;
}

/** Commands of later releases: named, so that nobody takes them for a typing mistake. */
const LATER = ['plan', 'apply', 'join', 'leave', 'replace', 'drain', 'backup'];

/** Errors that say that too few replicas answered. */
const QUORUM_CODES: ReadonlySet<string> = new Set(['quorum-not-met', 'quorum-impossible', 'deadline-exceeded']);

/** Runs one command line (without node and script) and returns the exit code. Every error is said on stderr. */
export async function runCli(args: readonly string[], dependencies: CliDependencies): Promise<number> {
  tolerateClosedPipes();
  let code: number = EXIT.ok;
  const program = buildProgram(dependencies, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return failed(error);
  }
}

type SetCode = (code: number) => void;

function buildProgram(dependencies: CliDependencies, ended: SetCode): Command {
  const program = new Command('quorate')
    .description('A leaderless, replicated key-value store.')
    .version(dependencies.version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`quorate: ${oneLine(text)}\n`) });
  addStart(program, dependencies.runNode, ended);
  addCluster(program, ended);
  addCatchUp(program, ended);
  addData(program, ended);
  addBench(program, ended);
  for (const name of LATER) addLater(program, name, ended);
  return program;
}

/** Commander puts its guess at what was meant on a line of its own. */
function oneLine(text: string): string {
  return text
    .trim()
    .replace(/^error: /, '')
    .replace(/\n/g, ' ');
}

function addStart(program: Command, runNode: RunNode, ended: SetCode): void {
  program
    .command('start')
    .description('run one node, or without --node every node of the file as a child process')
    .option('--config <file>', 'the cluster file', 'cluster.yaml')
    .option('--node <id>', 'the node to run')
    .action(async (options: StartOptions) => {
      // Loaded only here: the other commands need neither the configuration nor the store.
      const { start } = await import('./start-command.ts');
      ended(await start(options, runNode));
    });
}

function addBench(program: Command, ended: SetCode): void {
  program
    .command('bench')
    .description('measure a cluster, and other stores beside it: see `quorate bench --help`')
    .argument('[arguments...]')
    .helpOption(false)
    .allowUnknownOption()
    .action(async (args: readonly string[]) => {
      const { bench } = await import('./bench-command.ts');
      ended(await bench(args));
    });
}

function addCluster(program: Command, ended: SetCode): void {
  remote(program, 'status', 'members and settings as one node sees them')
    .option('--json', "the server's document")
    .action(async (options: StatusOptions & UrlOption) => ended(await status(clientOf(options), options)));
  remote(program, 'ring', 'who owns which partition, or where one key lives')
    .option('--bucket <bucket>', 'with --key: the bucket of the key')
    .option('--key <key>', 'with --bucket: the key')
    .option('--json', "the server's document")
    .action(async (options: RingOptions & UrlOption, command: Command) => {
      const isHalf = (options.bucket === undefined) !== (options.key === undefined);
      if (isHalf) command.error('--bucket and --key go together');
      ended(await ring(clientOf(options), options));
    });
}

function addCatchUp(program: Command, ended: SetCode): void {
  remote(program, 'catch-up', 'what the node at --url must catch up with before it serves it again')
    .option(
      '--except <id>',
      'do not wait for this owner, which will never come back: reads may miss what it alone holds',
    )
    .option('--json', "the server's document")
    .action(async (options: CatchUpOptions & UrlOption) => ended(await catchUp(clientOf(options), options)));
}

function addData(program: Command, ended: SetCode): void {
  withOutput(remote(program, 'get', 'print a value as it is; siblings as JSON, with exit code 4'))
    .arguments('<bucket> <key>')
    .option('--r <level>', 'replicas that must answer', levelFrom(1))
    .option('--pr <level>', 'how many of them must be owners', levelFrom(0))
    .option('--sloppy <boolean>', 'whether other nodes may stand in for owners that are away', trueOrFalse)
    .option('--timeout <duration>', "the request's deadline", timeoutMs)
    .option('--dot <dot>', 'just this sibling')
    .action(async (bucket: string, key: string, options: GetOptions & UrlOption) =>
      ended(await get(clientOf(options), bucket, key, options)),
    );
  withWrite(remote(program, 'put', 'write a value; without VALUE it is read from stdin'))
    .arguments('<bucket> <key> [value]')
    .option('--content-type <type>', 'stored and returned with the value')
    .option('--meta <name=value>', 'user metadata, any number of times', metaEntry)
    .action(async (bucket: string, key: string, value: string | undefined, options: WriteOptions & UrlOption) =>
      ended(await put(clientOf(options), bucket, key, value, options)),
    );
  withWrite(remote(program, 'delete', 'delete a key'))
    .arguments('<bucket> <key>')
    .action(async (bucket: string, key: string, options: WriteOptions & UrlOption) =>
      ended(await remove(clientOf(options), bucket, key, options)),
    );
  remote(program, 'list', 'list the keys of a bucket')
    .argument('<bucket>')
    .action(async (bucket: string, options: UrlOption) => ended(await list(clientOf(options), bucket)));
}

/** A command that talks to a node. */
function remote(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .addOption(new Option('--url <url>', 'any node').default('127.0.0.1:8081'));
}

function withWrite(command: Command): Command {
  return withOutput(command)
    .option('--w <level>', 'replicas that must acknowledge', levelFrom(1))
    .option('--pw <level>', 'how many of them must be owners', levelFrom(0))
    .option('--sloppy <boolean>', 'whether other nodes may stand in for owners that are away', trueOrFalse)
    .option('--timeout <duration>', "the request's deadline", timeoutMs)
    .option('--context <token>', 'replace exactly what the read with this context had seen');
}

function withOutput(command: Command): Command {
  return command
    .option('--show-context', 'the causal context on stderr')
    .option('--json', 'one JSON document on stdout: context, quorum, and the value if there is one');
}

function addLater(program: Command, name: string, ended: SetCode): void {
  program
    .command(name, { hidden: true })
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      say(`"${name}" is not part of this release`);
      ended(EXIT.usage);
    });
}

function clientOf({ url }: UrlOption): QuorateClient {
  return new QuorateClient([url]);
}

function failed(error: unknown): number {
  // Commander has said its own errors already; help and version are none.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof FatalError) {
    say(error.message);
    return error.exitCode;
  }
  if (error instanceof ClientError) {
    say(error.message);
    return clientExitCode(error);
  }
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.bug;
}

function clientExitCode({ code, problem }: ClientError): number {
  if (QUORUM_CODES.has(code)) return EXIT.quorumNotMet;
  // Refused before anything was sent: the key, the bucket or the URL was no good.
  const isUsage = problem.status === undefined && code.startsWith('bad-');
  return isUsage ? EXIT.usage : EXIT.error;
}
