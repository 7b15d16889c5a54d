import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { FatalError } from '../errors.ts';
import { SETTING_PATHS } from './config-schema.ts';
import { loadConfig, nodeOf, parseConfig } from './load-config.ts';
import { LIMIT_SETTINGS } from './settings.ts';

const NODES = [
  { id: 'n1', host: '127.0.0.1', http: 8081, rpc: 9081, data: 'data/n1' },
  { id: 'n2', host: '127.0.0.1', http: 8082, rpc: 9082, data: 'data/n2' },
  { id: 'n3', host: '127.0.0.1', http: 8083, rpc: 9083, data: 'data/n3' },
];

/** The text of a sound file, with `changes` made to it. JSON is YAML. */
function file(changes: object = {}): string {
  return JSON.stringify({ cluster: 'demo', nodes: NODES, ...changes });
}

/** A sound file whose node `index` has `changes`. */
function fileWithNode(index: number, changes: object, others: object = {}): string {
  return file({ nodes: NODES.map((node, at) => (at === index ? { ...node, ...changes } : node)), ...others });
}

function problemsOf(text: string): readonly string[] {
  const parsed = parseConfig(text, '/etc/quorate');
  return parsed.kind === 'problems' ? parsed.problems : [];
}

function configOf(text: string) {
  const parsed = parseConfig(text, '/etc/quorate');
  if (parsed.kind === 'problems') throw new Error(parsed.problems.join('\n'));
  return parsed.config;
}

describe('a sound file', () => {
  it('gets the documented defaults for all that it leaves out', () => {
    expect(configOf(file())).toMatchObject({
      partitions: 64,
      replication: { n: 3, r: 'quorum', w: 'quorum' },
      durability: 'flush',
      timeouts: { requestMs: 2000, drainMs: 10_000 },
      limits: { valueBytes: 1024 ** 2, siblings: 32, objectBytes: 16 * 1024 ** 2, requests: 4096 },
      insecure: false,
    });
  });

  it('gives every limit its default from the table', () => {
    const defaults = Object.entries(LIMIT_SETTINGS).map(([key, setting]) => [key, setting.fallback]);
    expect(configOf(file()).limits).toEqual(Object.fromEntries(defaults));
  });

  it('has data folders relative to itself, and binds to the host unless told otherwise', () => {
    const config = configOf(
      fileWithNode(1, { data: '/srv/n2', bind: '0.0.0.0', zone: 'b', weight: 4 }, { insecure: true }),
    );
    expect(config.nodes[0]).toEqual({
      ...NODES[0],
      zone: 'default',
      weight: 1,
      data: '/etc/quorate/data/n1',
      bind: '127.0.0.1',
    });
    expect(config.nodes[1]).toMatchObject({ data: '/srv/n2', bind: '0.0.0.0', zone: 'b', weight: 4 });
  });

  it('takes sizes with units or as bytes, durations with units, and levels as numbers or words', () => {
    const config = configOf(
      file({
        limits: { valueBytes: '64KiB', objectBytes: 131_072 },
        timeouts: { request: '250ms', drain: '0ms' },
        replication: { n: 3, r: 1, w: 'all' },
        durability: 'os',
        partitions: 256,
      }),
    );
    expect(config).toMatchObject({
      limits: { valueBytes: 65_536, objectBytes: 131_072 },
      timeouts: { requestMs: 250, drainMs: 0 },
      replication: { n: 3, r: 1, w: 'all' },
      durability: 'os',
      partitions: 256,
    });
  });

  it('may use one port on several machines', () => {
    const nodes = NODES.map((node, index) => ({ ...node, host: `h${index}.example`, http: 80, rpc: 90, data: 'data' }));
    expect(problemsOf(file({ nodes, insecure: true }))).toEqual([]);
  });
});

describe('the file of this repository', () => {
  it('is sound and describes three nodes on loopback', () => {
    const config = loadConfig(fileURLToPath(new URL('../../cluster.yaml', import.meta.url)));
    expect(config.nodes.map(({ id, http, rpc }) => [id, http, rpc])).toEqual([
      ['n1', 8081, 9081],
      ['n2', 8082, 9082],
      ['n3', 8083, 9083],
    ]);
    expect(config).toMatchObject({ cluster: 'demo', partitions: 64, insecure: false });
  });
});

describe('a value of the wrong kind', () => {
  it.each([
    ['cluster: expected a name of 1..64 letters, digits, ".", "_" or "-"', file({ cluster: 7 })],
    ['cluster: expected a name of 1..64 letters, digits, ".", "_" or "-"', file({ cluster: 'a b' })],
    ['partitions: expected a power of two 1..65536', file({ partitions: 48 })],
    ['partitions: expected a power of two 1..65536', file({ partitions: 131_072 })],
    ['replication.n: expected a whole number 1..16', file({ replication: { n: 0 } })],
    [
      'replication.r: expected a number of replicas from 1, "one", "quorum" or "all"',
      file({ replication: { r: 'most' } }),
    ],
    ['replication.w: expected a number of replicas from 1, "one", "quorum" or "all"', file({ replication: { w: 0 } })],
    ['durability: expected "flush" or "os"', file({ durability: 'none' })],
    ['nodes: expected a list of nodes', file({ nodes: {} })],
    ['nodes[1].http: expected a port 1..65535', fileWithNode(1, { http: 70_000 })],
    ['nodes[1].http: expected a port 1..65535', fileWithNode(1, { http: undefined })],
    ['nodes[2].rpc: expected a port 1..65535', fileWithNode(2, { rpc: '9083' })],
    ['nodes[0].weight: expected a whole number 1..1000', fileWithNode(0, { weight: 0.5 })],
    ['nodes[0].data: expected a folder', fileWithNode(0, { data: '' })],
    [
      'nodes[0].host: expected the host name or address under which the node is reached',
      fileWithNode(0, { host: '0.0.0.0' }),
    ],
    [
      'nodes[0].host: expected the host name or address under which the node is reached',
      fileWithNode(0, { host: '127.0.0' }),
    ],
    ['nodes[0].bind: expected a host name or address to listen on', fileWithNode(0, { bind: 'a b' })],
    ['limits.valueBytes: expected a size 1..64MiB', file({ limits: { valueBytes: '1MB' } })],
    ['limits.siblings: expected a whole number 1..1024', file({ limits: { siblings: '8KiB' } })],
    ['timeouts.request: expected a duration 1ms..1m', file({ timeouts: { request: 2000 } })],
    ['timeouts.request: expected a duration 1ms..1m', file({ timeouts: { request: '61s' } })],
    ['limits: expected a mapping', file({ limits: null })],
    ['nodes[0]: expected a mapping', file({ nodes: ['n1', NODES[1], NODES[2], NODES[0]] })],
    ['insecure: expected true or false', file({ insecure: 'yes' })],
    ['expected a mapping', ''],
  ])('%s', (problem, text) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it('nodes: an empty list leaves no owners either', () => {
    expect(problemsOf(file({ nodes: [] }))).toEqual([
      'nodes: expected at least one node',
      'replication.n: 3 owners need 3 nodes, not 0',
    ]);
  });
});

describe('settings that do not agree', () => {
  it.each([
    ['replication.n: 4 owners need 4 nodes, not 3', file({ replication: { n: 4 } })],
    ['replication.r: expected at most n = 2, not 3', file({ replication: { n: 2, r: 3 } })],
    ['replication.w: expected at most n = 3, not 4', file({ replication: { w: 4 } })],
    ["nodes[2].id: n1 is nodes[0]'s already", fileWithNode(2, { id: 'n1' })],
    ["nodes[1].http: port 9081 on 127.0.0.1 is nodes[0]'s already", fileWithNode(1, { http: 9081 })],
    ["nodes[1].http: port 8081 on localhost is nodes[0]'s already", fileWithNode(1, { host: 'localhost', http: 8081 })],
    ["nodes[1].rpc: port 8082 is nodes[1].http's already", fileWithNode(1, { rpc: 8082 })],
    [
      "nodes[2].data: the folder is nodes[0]'s, or one lies within the other",
      fileWithNode(2, { data: './data/x/../n1' }),
    ],
    [
      "nodes[2].data: the folder is nodes[0]'s, or one lies within the other",
      fileWithNode(2, { data: 'data/n1/deep' }),
    ],
    [
      'nodes[1].host: 10.0.0.2 is not loopback, and there is no authentication: that needs "insecure: true"',
      fileWithNode(1, { host: '10.0.0.2' }),
    ],
    [
      'nodes[1].bind: :: is not loopback, and there is no authentication: that needs "insecure: true"',
      fileWithNode(1, { bind: '::' }, { insecure: false }),
    ],
    [
      'limits.objectBytes: expected at least limits.valueBytes = 32MiB, not 16MiB',
      file({ limits: { valueBytes: '32MiB' } }),
    ],
    [
      'limits.peerQueueBytes: expected at least limits.objectBytes = 16MiB, not 1MiB',
      file({ limits: { peerQueueBytes: '1MiB' } }),
    ],
  ])('%s', (problem, text) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it('are no matter when insecure is set and the node listens on the network', () => {
    expect(problemsOf(fileWithNode(1, { host: 'db2.example', bind: '0.0.0.0' }, { insecure: true }))).toEqual([]);
  });

  it('may bind to loopback under a public name without being insecure', () => {
    expect(problemsOf(fileWithNode(1, { host: 'db2.example', bind: '127.0.0.1' }))).toEqual([]);
  });
});

describe('a file with many mistakes', () => {
  it('has every one of them reported, whatever kind they are', () => {
    const text = file({
      nodes: [{ ...NODES[0], port: 1 }, { ...NODES[1], http: 'x', id: 'n1' }, NODES[2]],
      replication: { n: 5, x: 1 },
      partitons: 64,
    });
    expect([...problemsOf(text)].sort()).toEqual(
      [
        "nodes[1].id: n1 is nodes[0]'s already",
        'nodes[0].port: unknown key',
        'nodes[1].http: expected a port 1..65535',
        'partitons: unknown key',
        'replication.n: 5 owners need 5 nodes, not 3',
        'replication.x: unknown key',
      ].sort(),
    );
  });

  it('that is no YAML, or repeats a key, says where', () => {
    expect(problemsOf('cluster: [demo')[0]).toMatch(/line 1/);
    expect(problemsOf('cluster: a\ncluster: b\n')).toEqual([
      expect.stringMatching(/Map keys must be unique at line 2/),
    ]);
  });

  it('refuses unknown tags and aliases that explode', () => {
    expect(problemsOf('cluster: !secret demo')[0]).toMatch(/Unresolved tag/);
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((key, at) => `${key}: &${key} [${`*${'abcdefg'[at]},`.repeat(9)}x]`),
    ];
    expect(problemsOf(bomb.join('\n'))).toEqual([expect.stringMatching(/Excessive alias count/)]);
  });
});

describe('loading', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function load(text: string): unknown {
    const path = join(folder, 'cluster.yaml');
    writeFileSync(path, text);
    try {
      return loadConfig(path);
    } catch (error) {
      return error;
    }
  }

  it('makes a fatal error of all problems, one per line, exit code 2', () => {
    const error = load(file({ durability: 'x', typo: 1 }));
    expect(error).toBeInstanceOf(FatalError);
    expect(error).toMatchObject({
      exitCode: 2,
      message: `${join(folder, 'cluster.yaml')} has 2 problems:\n  durability: expected "flush" or "os"\n  typo: unknown key`,
    });
  });

  it('of a file that is not there is a fatal error with exit code 2', () => {
    expect(() => loadConfig(join(folder, 'none.yaml'))).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  it('a node that the file does not have is a fatal error that lists those it has', () => {
    const config = configOf(file());
    expect(nodeOf(config, 'n2').http).toBe(8082);
    expect(() => nodeOf(config, 'n9')).toThrow('no node n9 in the configuration: it has n1, n2, n3');
  });
});

describe('the list of setting paths', () => {
  it('has top-level keys, those of sections and those of nodes', () => {
    expect(SETTING_PATHS).toEqual(
      expect.arrayContaining([
        'cluster',
        'replication.n',
        'nodes[].http',
        'limits.valueBytes',
        'timeouts.drain',
        'insecure',
      ]),
    );
    expect(SETTING_PATHS).not.toContain('nodes');
  });
});
