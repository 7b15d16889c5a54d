import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { type BenchOptions, benchCommand } from './options.ts';

async function parsed(...args: readonly string[]): Promise<BenchOptions> {
  let found: BenchOptions | undefined;
  const command = benchCommand(async (options) => {
    found = options;
  });
  await command
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parseAsync(args, { from: 'user' });
  if (found === undefined) throw new Error('nothing was run');
  return found;
}

async function refusal(...args: readonly string[]): Promise<CommanderError> {
  const error: unknown = await parsed(...args).catch((reason: unknown) => reason);
  if (error instanceof CommanderError) return error;
  throw new Error(`${args} was taken`);
}

describe('the options of the benchmark', () => {
  it('ask little of a local cluster of three when there are none', async () => {
    expect(await parsed()).toMatchObject({
      urls: [],
      peers: [],
      parts: ['main', 'open-loop'],
      nodes: 3,
      n: 3,
      durability: 'flush',
      keys: 100_000,
      valueBytes: 100,
      connections: 64,
      repetitions: 3,
    });
  });

  it('keep at most as many copies as there are nodes', async () => {
    expect(await parsed('--nodes', '1')).toMatchObject({ nodes: 1, n: 1 });
    expect((await refusal('--nodes', '3', '--n', '4')).message).toContain('--n 4 is more than --nodes 3');
  });

  it('ask in an order of their own, each part once', async () => {
    const { parts } = await parsed('--part', 'costs', '--part', 'ycsb', '--part', 'main', '--part', 'ycsb');
    expect(parts).toEqual(['main', 'ycsb', 'costs']);
  });

  it('leave out of everything what a running cluster cannot be asked', async () => {
    const url = ['--url', 'http://127.0.0.1:8081', '--url', 'http://127.0.0.1:8082/'];
    const { urls, parts } = await parsed('--full', ...url);
    expect(urls).toEqual(['http://127.0.0.1:8081', 'http://127.0.0.1:8082']);
    expect(parts).toEqual(['main', 'open-loop', 'connections', 'ycsb', 'matrix', 'values']);
    expect((await refusal('--part', 'outage', ...url)).message).toContain('outage starts nodes of its own');
  });

  it('do not leave out in silence what was asked for and cannot be', async () => {
    expect((await refusal('--part', 'outage', '--nodes', '2')).message).toContain('needs --nodes 3 or more');
    expect((await parsed('--full', '--nodes', '2')).parts).not.toContain('outage');
  });

  it('name peers', async () => {
    const { peers } = await parsed('--peer', 'etcd=http://a:1,http://b:2', '--peer', 'redis=c:3');
    expect(peers.map(({ store, addresses }) => [store.name, addresses])).toEqual([
      ['etcd', ['http://a:1', 'http://b:2']],
      ['redis', ['redis://c:3']],
    ]);
  });

  it.each([
    [['--keys', '0'], 'from 1 to'],
    [['--seconds', '1.5'], 'Expected a whole number'],
    [['--part', 'speed'], 'Expected one of main, open-loop'],
    [['--url', 'https://a'], 'Expected http://host:port'],
    [['--peer', 'riak=http://a:1'], 'expected etcd=, consul= or redis='],
    [['--durability', 'none'], 'Allowed choices are flush, os'],
    [['fast'], 'too many arguments'],
  ])('%j are refused', async (args, message) => {
    const error = await refusal(...args);
    expect(error.message).toContain(message);
  });
});
