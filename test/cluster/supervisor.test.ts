/** `quorate start` without a node: every node of the file, as a user has it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Program } from '../child-process.ts';
import { eventually, send } from './http-request.ts';
import { RealCluster } from './real-cluster.ts';

let cluster: RealCluster;
let supervisor: Program;

beforeAll(async () => {
  cluster = await RealCluster.create();
  supervisor = cluster.run(['start', '--config', cluster.file]);
  for (const id of cluster.ids) await cluster.says(supervisor, new RegExp(`^ready ${id} ${cluster.url(id)}$`, 'm'));
}, 60_000);
afterAll(() => cluster.remove());

const status = async (id: string, path: string, body?: string): Promise<number> => {
  const sent = body === undefined ? {} : { method: 'PUT', body };
  return (await send(cluster.httpPort(id), path, sent).catch(() => ({ status: 0 }))).status;
};

it('starts every node; together they serve', async () => {
  for (const id of cluster.ids) {
    expect(await status(id, `/v1/kv/b/${id}?w=3`, 'v')).toBe(204);
    expect(await status(id, '/readyz')).toBe(200);
  }
});

it('SIGTERM stops all with exit code 0, in order', async () => {
  supervisor.child.kill('SIGTERM');
  const { code, stderr } = await cluster.end(supervisor);
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining('ended by SIGKILL') });
  for (const id of cluster.ids) expect(await status(id, '/healthz')).toBe(0);
});

it('a node that is killed is neither started again nor stops the others; the end is then exit code 1', {
  timeout: 60_000,
}, async () => {
  supervisor = cluster.run(['start', '--config', cluster.file]);
  for (const id of cluster.ids) await cluster.says(supervisor, new RegExp(`^ready ${id} `, 'm'));
  expect(await status('n1', '/v1/kv/b/n2?r=3')).toBe(200);
  const [, pid] = await cluster.says(supervisor, /n2 runs as process (\d+)/);
  process.kill(Number(pid), 'SIGKILL');
  await cluster.says(supervisor, /quorate: n2 was ended by SIGKILL/);
  await eventually(async () => ((await status('n1', '/v1/kv/b/after?w=2', 'v')) === 204 ? true : undefined));
  expect(await status('n3', '/v1/kv/b/after?r=2')).toBe(200);
  expect(await status('n2', '/healthz')).toBe(0);
  supervisor.child.kill('SIGINT');
  const { code, stdout } = await cluster.end(supervisor);
  expect(code).toBe(1);
  expect(stdout.toString().match(/^ready n2 /gm)).toHaveLength(1);
});

it('when it is killed itself, its nodes stop by themselves', { timeout: 60_000 }, async () => {
  supervisor = cluster.run(['start', '--config', cluster.file]);
  for (const id of cluster.ids) await cluster.says(supervisor, new RegExp(`^ready ${id} `, 'm'));
  supervisor.child.kill('SIGKILL');
  // The output pipes close only when the nodes have ended too.
  const { signal } = await cluster.end(supervisor);
  expect(signal).toBe('SIGKILL');
  for (const id of cluster.ids) expect(await status(id, '/healthz')).toBe(0);
});
