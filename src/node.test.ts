import { describe, expect, it } from 'vitest';
import { InProcessCluster } from '../test/in-process-cluster.ts';
import type { GetRequest, WriteRequest } from './coordinator/api.ts';

const write = (key: string, value: string | undefined, more: Partial<WriteRequest> = {}): WriteRequest => ({
  bucket: 'b',
  key,
  timeoutMs: 2000,
  version: value === undefined ? undefined : { value: Buffer.from(value), contentType: 'text/plain', meta: [] },
  context: undefined,
  returnValue: false,
  ...more,
});
const get = (key: string, more: Partial<GetRequest> = {}): GetRequest => ({
  bucket: 'b',
  key,
  timeoutMs: 2000,
  ...more,
});

describe('three nodes', () => {
  const cluster = new InProcessCluster();

  it('serve a value from any node', async () => {
    await cluster.start();
    for (const id of cluster.ids) {
      for (let i = 0; i < 10; i++) {
        const written = await cluster.settle(cluster.node(id).api.write(write(`k${i}`, `${id}-${i}`, { w: 'all' })));
        expect(written.quorum.owners).toBe(3);
        const read = await cluster.settle(cluster.node('n3').api.get(get(`k${i}`, { r: 'all' })));
        expect(read.siblings.map(({ value }) => Buffer.from(value).toString())).toEqual([`${id}-${i}`]);
      }
    }
  });
});
