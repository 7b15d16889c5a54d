/** What a node makes of a data folder that is not as it left it, or not its own. Real folders, real processes. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../bench/cluster/free-ports.ts';
import type { Finished, Program } from '../child-process.ts';
import { type Answer, jsonOf, type Sent, send } from './http-request.ts';
import { RealCluster } from './real-cluster.ts';

let cluster: RealCluster;

beforeAll(async () => {
  cluster = await RealCluster.create();
  await cluster.start();
  for (let i = 0; i < 20; i++) expect((await put('n1', `/v1/kv/b/${i}?w=3`, `value ${i}`)).status).toBe(204);
}, 60_000);
afterAll(() => cluster.remove());

const ask = (id: string, path: string, sent?: Sent): Promise<Answer> => send(cluster.httpPort(id), path, sent);
const put = (id: string, path: string, body: string): Promise<Answer> => ask(id, path, { method: 'PUT', body });

/** A cluster.yaml that differs from the cluster's own. */
function fileWith(change: (text: string) => string): string {
  const text = readFileSync(cluster.file, 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  const file = join(cluster.folder, 'other.yaml');
  writeFileSync(file, changed);
  return file;
}

/** The node ends, says why in one line, and never said that it was ready. */
async function expectEnd(program: Program, code: number, reason: RegExp): Promise<void> {
  const end: Finished = await cluster.end(program);
  const said = end.stderr.split('\n').filter((line) => line.startsWith('quorate: '));
  expect({ code: end.code, said, stdout: end.stdout.toString() }).toEqual({
    code,
    said: [expect.stringMatching(reason)],
    stdout: '',
  });
}

/** n1 and n3 serve as if nothing had happened. */
async function expectOthersServe(): Promise<void> {
  for (const id of ['n1', 'n3']) {
    expect((await put(id, '/v1/kv/b/others?w=2', id)).status).toBe(204);
    expect((await ask(id, '/v1/kv/b/others?r=2')).body.toString()).toBe(id);
  }
}

describe('a folder or port that cannot be had', () => {
  it('a second process on the same folder is refused, and the first goes on', async () => {
    const pid = cluster.process('n2').child.pid;
    const second = cluster.run(['start', '--config', cluster.file, '--node', 'n2']);
    await expectEnd(second, 1, new RegExp(`data folder .*n2: process ${pid} is using it`));
    expect((await put('n2', '/v1/kv/b/0?w=3', 'value 0')).status).toBe(204);
  });

  it.each(['http', 'rpc'] as const)('a taken %s port ends the start and is named', async (which) => {
    const own = { http: cluster.httpPort('n2'), rpc: cluster.rpcPort('n2') };
    const [free] = await freePorts(1);
    const ports = { http: free, rpc: free, [which]: cluster.httpPort('n1') };
    const file = fileWith((text) =>
      text
        .replace(/^ {2}- \{ id: n[13].*\n/gm, '')
        .replace('n: 3', 'n: 1')
        .replace(
          `http: ${own.http}, rpc: ${own.rpc}`,
          `http: ${ports.http}, rpc: ${which === 'rpc' ? ports.rpc : own.rpc}`,
        )
        .replace('data: n2', `data: fresh-${which}`),
    );
    const program = cluster.run(['start', '--config', file, '--node', 'n2']);
    await expectEnd(program, 1, new RegExp(`cannot listen .*127\\.0\\.0\\.1:${cluster.httpPort('n1')}: .*EADDRINUSE`));
  });

  it('a folder below a file cannot be written', async () => {
    const file = fileWith((text) => text.replace('data: n2', 'data: cluster.yaml/n2'));
    const program = cluster.run(['start', '--config', file, '--node', 'n2']);
    await expectEnd(program, 1, /data folder .*cluster\.yaml\/n2 cannot be written: ENOTDIR/);
  });
});

describe('with n2 stopped', () => {
  const folder = () => cluster.dataFolder('n2');
  const launch = (file?: string) => cluster.launch('n2', file);
  const caughtUp = () =>
    expect
      .poll(async () => jsonOf(await ask('n2', '/v1/cluster/catch-up')), { timeout: 20_000 })
      .toEqual({ node: 'n2', partitions: [], excepted: [] });

  beforeAll(async () => {
    await cluster.kill(['n2']);
  });

  it('the folder of another node, another cluster or other partitions: exit code 2, and what to do', async () => {
    const otherCluster = fileWith((text) => text.replace('cluster: test', 'cluster: prod'));
    await expectEnd(launch(otherCluster), 2, /belongs to cluster test, the configuration says prod: /);
    const otherPartitions = fileWith((text) => `${text}\npartitions: 32\n`);
    await expectEnd(launch(otherPartitions), 2, /belongs to partitions 64, the configuration says 32: /);
    const renamed = fileWith((text) =>
      text.replace('data: n2', 'data: x').replace('data: n3', 'data: n2').replace('data: x', 'data: n3'),
    );
    await cluster.kill(['n3']);
    await expectEnd(launch(renamed), 2, /belongs to node n3, the configuration says n2/);
    await cluster.start(['n3']);
  });

  it('an emptied folder: the node comes back and has everything, without the others', { timeout: 60_000 }, async () => {
    for (let i = 0; i < 20; i++) expect((await put('n1', `/v1/kv/b/wiped-${i}?w=2`, `value ${i}`)).status).toBe(204);
    cluster.wipe('n2');
    await cluster.start(['n2']);
    await caughtUp();
    for (let i = 0; i < 20; i++)
      expect((await ask('n2', `/v1/kv/b/wiped-${i}?r=1`)).body.toString()).toBe(`value ${i}`);
    expect((await put('n2', '/v1/kv/b/0?w=3', 'value 0')).status).toBe(204);
    await cluster.kill(['n2']);
    await cluster.start(['n2']);
    expect((await ask('n2', '/v1/kv/b/0?r=1')).body.toString()).toBe('value 0');
  });

  it('an older copy, from before a later start: the node comes back and has what was written since', {
    timeout: 60_000,
  }, async () => {
    await cluster.kill(['n2']);
    const older = cluster.copyFolder('n2', 'older');
    await cluster.start(['n2']);
    for (let i = 0; i < 20; i++) expect((await put('n2', `/v1/kv/b/old-${i}?w=3`, `value ${i}`)).status).toBe(204);
    await cluster.kill(['n2']);
    cluster.restoreFolder('n2', older);
    await cluster.start(['n2']);
    expect(cluster.process('n2').stderr).toContain('this data folder is older than the latest one');
    await caughtUp();
    for (let i = 0; i < 20; i++) expect((await ask('n2', `/v1/kv/b/old-${i}?r=1`)).body.toString()).toBe(`value ${i}`);
  });

  it('a torn tail, with garbage behind it, is dropped: nothing acknowledged was in it', {
    timeout: 60_000,
  }, async () => {
    for (let i = 0; i < 20; i++) expect((await put('n2', `/v1/kv/b/${i}?w=3`, `value ${i}`)).status).toBe(204);
    await cluster.kill(['n2']);
    const { path, bytes, end } = latestSegment(folder());
    Buffer.from('QRL1 torn, and then noise').copy(bytes, end);
    writeFileSync(path, bytes);
    await cluster.start(['n2']);
    expect(cluster.process('n2').stderr).not.toContain('damaged');
    for (let i = 0; i < 20; i++) expect((await ask('n2', `/v1/kv/b/${i}?r=1`)).body.toString()).toBe(`value ${i}`);
  });

  it('damage in the middle of what was on disk is refused, and named, until it is undone or the folder emptied', {
    timeout: 60_000,
  }, async () => {
    for (let i = 0; i < 40; i++) await put('n2', `/v1/kv/b/damage-${i}?w=3`, `damage ${i}`);
    await cluster.kill(['n2']);
    const { path, bytes, starts } = latestSegment(folder());
    const damaged = Buffer.from(bytes);
    // Of the latest writes: a checkpoint may have taken over those before, and then their loss does not matter.
    for (const start of starts.slice(-6, -3)) damaged[start + 40] = (damaged[start + 40] ?? 0) ^ 0xff;
    writeFileSync(path, damaged);
    await expectEnd(
      launch(),
      1,
      /The log is damaged in .*\.log at offset \d+: change \d+ is missing, which change \d+ knew to be on disk/,
    );
    await expectOthersServe();
    writeFileSync(path, bytes);
    await cluster.start(['n2']);
    for (let i = 0; i < 40; i++)
      expect((await ask('n2', `/v1/kv/b/damage-${i}?r=1`)).body.toString()).toBe(`damage ${i}`);
    await cluster.kill(['n2']);
    cluster.wipe('n2');
    await cluster.start(['n2']);
    await caughtUp();
    for (let i = 0; i < 40; i++)
      expect((await ask('n2', `/v1/kv/b/damage-${i}?r=1`)).body.toString()).toBe(`damage ${i}`);
  });

  it('a log that is missing, or a state that is no LMDB file, is refused', { timeout: 60_000 }, async () => {
    await cluster.kill(['n2'], 'SIGTERM');
    const whole = cluster.copyFolder('n2', 'whole');
    rmSync(join(folder(), 'log'), { recursive: true });
    await expectEnd(launch(), 1, /[Tt]he log is missing/);
    cluster.restoreFolder('n2', whole);
    writeFileSync(join(folder(), 'state', 'state.mdb'), 'no database');
    await expectEnd(launch(), 1, /n2/);
    await expectOthersServe();
    cluster.restoreFolder('n2', whole);
    await cluster.start(['n2']);
  });

  it('the lock of a killed process does not matter', async () => {
    await cluster.kill(['n2']);
    expect(readdirSync(folder())).toContain('lock');
    await cluster.start(['n2']);
  });

  it('a damaged value is never shown, and is had again from the other owners', { timeout: 60_000 }, async () => {
    expect((await put('n1', '/v1/kv/b/victim?w=3', 'this value will be damaged')).status).toBe(204);
    await cluster.kill(['n2'], 'SIGTERM');
    damageEverywhere(join(folder(), 'state', 'state.mdb'), 'this value will be damaged');
    for (const key of Array(20).keys())
      expect((await put('n1', `/v1/kv/b/${key}?w=2`, `after ${key}`)).status).toBe(204);
    await cluster.start(['n2']);
    for (const key of Array(20).keys())
      await expect.poll(async () => (await ask('n2', `/v1/kv/b/${key}?r=1`)).body.toString()).toBe(`after ${key}`);
    expect((await ask('n2', '/v1/kv/b/victim?r=2')).body.toString()).toBe('this value will be damaged');
    await expect
      .poll(async () => (await ask('n2', '/v1/kv/b/victim?r=3')).body.toString(), { timeout: 20_000 })
      .toBe('this value will be damaged');
    expect(cluster.process('n2').stderr).toContain('a damaged record was had again from the other owners');
  });
});

function damageEverywhere(path: string, value: string): void {
  const bytes = readFileSync(path);
  const places: number[] = [];
  for (let at = bytes.indexOf(value); at !== -1; at = bytes.indexOf(value, at + 1)) places.push(at);
  expect(places.length).toBeGreaterThan(0);
  for (const place of places) bytes[place] = (bytes[place] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

interface Segment {
  readonly path: string;
  readonly bytes: Buffer;
  /** Where the groups of its present life start, and where the last of them ends: see log-format.ts. */
  readonly starts: readonly number[];
  readonly end: number;
}

/** The segment that was written to last. */
function latestSegment(folder: string): Segment {
  const log = join(folder, 'log');
  const segments = readdirSync(log).map((name) => segmentOf(join(log, name), Number.parseInt(name, 10)));
  const written = segments.filter(({ starts }) => starts.length > 0);
  const latest = written.sort((a, b) => statSync(b.path).mtimeMs - statSync(a.path).mtimeMs)[0];
  if (latest === undefined) throw new Error('an empty log');
  return latest;
}

function segmentOf(path: string, number: number): Segment {
  const bytes = readFileSync(path);
  const starts: number[] = [];
  let at = 0;
  while (bytes.toString('latin1', at, at + 4) === 'QRL1' && bytes.readUIntLE(at + 16, 6) === number) {
    starts.push(at);
    at += 34 + bytes.readUInt32LE(at + 8);
  }
  return { path, bytes, starts, end: at };
}
