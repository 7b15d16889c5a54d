import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Program, quorate } from '../../test/child-process.ts';
import type { StubBehaviour } from '../../test/programs/stub-nodes.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-start-'));
const programs: Program[] = [];
afterEach(() => {
  for (const { child } of programs.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A cluster file of `ids`; the stubs never open their ports. */
function clusterFile(ids: readonly string[], timeouts: object = {}): string {
  const nodes = ids.map((id, index) => ({ id, host: '127.0.0.1', http: 8081 + index, rpc: 9081 + index, data: id }));
  const path = join(folder, `${ids.join('-')}-${programs.length}.yaml`);
  writeFileSync(path, JSON.stringify({ cluster: 'demo', replication: { n: 1 }, nodes, timeouts }));
  return path;
}

type Behaviours = Readonly<Record<string, StubBehaviour>>;

function start(args: readonly string[], behaviours: Behaviours = {}): Program {
  const program = new Program('test/programs/stub-nodes.js', ['start', ...args], {
    STUB_NODES: JSON.stringify(behaviours),
  });
  programs.push(program);
  return program;
}

/** A supervisor whose nodes `ids` are all up. */
async function supervisor(
  ids: readonly string[],
  behaviours: Behaviours = {},
  timeouts: object = {},
): Promise<Program> {
  const program = start(['--config', clusterFile(ids, timeouts)], behaviours);
  for (const id of ids) await program.until(new RegExp(`ready ${id} `));
  return program;
}

/** The process of a node that has started. */
async function pidOf(program: Program, id: string): Promise<number> {
  const [, pid] = await program.until(new RegExp(`ready ${id} pid (\\d+)`));
  return Number(pid);
}

describe('start --node', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('drains on %s and ends with 0', async (signal) => {
    const program = start(['--config', clusterFile(['n1', 'n2']), '--node', 'n2']);
    await program.until(/ready n2 /);
    program.child.kill(signal);
    const { code, stdout, stderr } = await program.ended();
    expect({ code, stdout: stdout.toString() }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/drained n2\n$/),
    });
    expect(stderr).toContain(`quorate: n2: stopping (${signal})`);
  });

  it('takes the same signal twice in a row for one request', async () => {
    const program = start(['--config', clusterFile(['n1']), '--node', 'n1']);
    await program.until(/ready n1 /);
    program.child.kill('SIGINT');
    program.child.kill('SIGTERM');
    expect((await program.ended()).code).toBe(0);
  });

  it('ends at once with 1 on a second signal', async () => {
    const program = start(['--config', clusterFile(['n1']), '--node', 'n1'], { n1: 'stuck' });
    await program.until(/ready n1 /);
    const again = setInterval(() => program.child.kill('SIGTERM'), 200);
    const { code, stderr } = await program.ended();
    clearInterval(again);
    expect(code).toBe(1);
    expect(stderr).toContain('quorate: n1: stopped by a second signal');
  });

  it('ends with 1 when draining overruns its limit', async () => {
    const program = start(['--config', clusterFile(['n1'], { drain: '1ms' }), '--node', 'n1'], { n1: 'stuck' });
    await program.until(/ready n1 /);
    program.child.kill('SIGTERM');
    const { code, stderr } = await program.ended();
    expect(code).toBe(1);
    expect(stderr).toContain('quorate: n1: not stopped within 2001 ms');
  });

  it('of a node that cannot start: its message and its exit code', async () => {
    const { code, stderr } = await start(['--config', clusterFile(['n1']), '--node', 'n1'], { n1: 'fatal' }).ended();
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'quorate: n1: the data folder is of another cluster\n' });
  });

  it('a fatal error that nobody awaits ends the process with its exit code', async () => {
    const { code, stderr } = await start(['--config', clusterFile(['n1']), '--node', 'n1'], { n1: 'rejects' }).ended();
    expect({ code, stderr }).toEqual({ code: 3, stderr: 'quorate: n1: the disk failed\n' });
  });

  it('a broken invariant ends the process at once with 70 and says where', async () => {
    const { code, stderr } = await start(['--config', clusterFile(['n1']), '--node', 'n1'], { n1: 'broken' }).ended();
    expect(code).toBe(70);
    expect(stderr).toMatch(/n1 has a broken invariant\n +at /);
  });

  it('of a node that the file does not have: exit code 2', async () => {
    const { code, stderr } = await start(['--config', clusterFile(['n1', 'n2']), '--node', 'n7']).ended();
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'quorate: no node n7 in the configuration: it has n1, n2\n' });
  });
});

describe('start without --node', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'runs every node of the file; %s drains all and ends with 0',
    async (signal) => {
      const program = await supervisor(['n1', 'n2', 'n3']);
      program.child.kill(signal);
      const { code, stdout } = await program.ended();
      expect(code).toBe(0);
      const lines = stdout.toString().trim().split('\n');
      expect(lines.filter((line) => line.startsWith('drained')).sort()).toEqual([
        'drained n1',
        'drained n2',
        'drained n3',
      ]);
      // Nothing but what the nodes themselves print is on stdout.
      expect(lines.filter((line) => !/^(ready|drained) n[123]/.test(line))).toEqual([]);
    },
  );

  it('neither restarts a node that dies nor stops the others, and ends with 1', async () => {
    const program = await supervisor(['n1', 'n2']);
    process.kill(await pidOf(program, 'n1'), 'SIGKILL');
    await program.until(/n1 was ended by SIGKILL/);
    process.kill(await pidOf(program, 'n2'), 0);
    program.child.kill('SIGTERM');
    const { code, stdout } = await program.ended();
    expect(code).toBe(1);
    expect(stdout.toString().match(/ready n1/g)).toHaveLength(1);
    expect(stdout.toString()).toContain('drained n2');
  });

  it('ends with 1 once every node has ended without having been told to', async () => {
    const { code, stderr } = await start(['--config', clusterFile(['n1', 'n2'])], {
      n1: 'fatal',
      n2: 'broken',
    }).ended();
    expect(code).toBe(1);
    expect(stderr).toContain('quorate: n1 ended with exit code 2');
    expect(stderr).toContain('quorate: n2 ended with exit code 70');
  });

  it('kills what is still there at a second signal', async () => {
    const program = await supervisor(['n1', 'n2'], { n1: 'stuck' });
    const again = setInterval(() => program.child.kill('SIGTERM'), 200);
    const { code, stderr } = await program.ended();
    clearInterval(again);
    expect(code).toBe(1);
    expect(stderr).toContain('quorate: n1 was ended by SIGKILL');
  });

  it('leaves no node behind when it is killed: they drain by themselves', async () => {
    const program = await supervisor(['n1', 'n2']);
    program.child.kill('SIGKILL');
    const { signal, stdout, stderr } = await program.ended();
    expect(signal).toBe('SIGKILL');
    expect(stdout.toString()).toMatch(/drained n1/);
    expect(stdout.toString()).toMatch(/drained n2/);
    expect(stderr).toContain('n1: stopping (disconnect)');
  });

  it('starts nothing when the file is at fault: every problem on stderr, exit code 2', async () => {
    const path = join(folder, 'bad.yaml');
    writeFileSync(
      path,
      'cluster: demo\nnodes:\n  - { id: n1, host: 127.0.0.1, http: 0, rpc: 9081, data: x }\nextra: 1\n',
    );
    const { code, stdout, stderr } = await quorate(['start', '--config', path]);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trim().split('\n')).toEqual([
      `quorate: ${path} has 3 problems:`,
      '  nodes[0].http: expected a port 1..65535',
      '  extra: unknown key',
      '  replication.n: 3 owners need 3 nodes, not 1',
    ]);
  });

  it('without a file says so, exit code 2', async () => {
    const { code, stderr } = await quorate(['start', '--config', join(folder, 'none.yaml')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^quorate: cannot read .*none\.yaml: ENOENT/);
  });
});
