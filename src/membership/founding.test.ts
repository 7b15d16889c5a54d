import { describe, expect, it } from 'vitest';
import type { Loses } from '../../test/faulty-ports.ts';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { isRaft, isReply } from '../../test/messages.ts';
import { get, put, valuesOf } from '../../test/requests.ts';
import { nodeId } from '../core/ids.ts';
import { FatalError } from '../errors.ts';

/** Others hear the node, but it does not hear their answers, nor what the metadata group says. */
const deafTo =
  (node: string): Loses =>
  (_, to, message) =>
    to === node && (isReply(message) || isRaft(message));

describe('a new cluster', () => {
  it('is created once all voters are there, and not before', async () => {
    const cluster = new InProcessCluster();
    await cluster.launch('n1');
    await cluster.launch('n2');
    await cluster.pass(10_000);
    expect(cluster.node('n1').membership.view).toBeUndefined();
    expect(cluster.node('n1').api.notReady()).toBe('the cluster state is not known yet');
    expect(cluster.log.some((line) => line.includes('waiting for the other nodes') && line.includes('n3'))).toBe(true);
    await cluster.start(['n3']);
    await cluster.until(() => cluster.ids.every((id) => cluster.node(id).api.notReady() === undefined), 'all to serve');
    const ids = cluster.ids.map((id) => cluster.node(id).membership.view?.state.clusterId);
    expect(new Set(ids).size).toBe(1);
  });

  it('is not created while a voter is unreachable, and is when it comes back', async () => {
    const cluster = new InProcessCluster();
    for (const id of cluster.ids) await cluster.launch(id);
    cluster.cut('n1', 'n3');
    cluster.cut('n2', 'n3');
    await cluster.pass(5000);
    expect(cluster.node('n1').membership.view).toBeUndefined();
    cluster.mend('n1', 'n3');
    cluster.mend('n2', 'n3');
    await cluster.until(() => cluster.ids.every((id) => cluster.node(id).api.notReady() === undefined), 'all to serve');
  });

  it('is not created from files that differ', async () => {
    const cluster = new InProcessCluster();
    const { replication } = cluster.config;
    cluster.configs.set('n3', { ...cluster.config, replication: { ...replication, n: 2 } });
    for (const id of cluster.ids) await cluster.launch(id);
    await cluster.until(() => cluster.fatal.size === 3, 'all to refuse');
    expect(cluster.fatal.get('n1')).toBeInstanceOf(FatalError);
    expect(cluster.fatal.get('n3')).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('cluster.yaml differs'),
    });
  });

  it('takes in a member beyond the voters whenever it comes', async () => {
    const cluster = new InProcessCluster({ nodes: 6 });
    const early = cluster.ids.slice(0, 5);
    for (const id of early) await cluster.launch(id);
    await cluster.until(
      () => early.every((id) => cluster.node(id).membership.standing.mayRead),
      'the voters to be granted',
    );
    await cluster.start(['n6']);
    const { state } = cluster.node('n6').membership.view ?? {};
    expect(state?.members.find(({ id }) => id === 'n6')?.grant).toBeGreaterThan(0);
  });

  it('is not created while one who does not vote knows another, that all its voters have lost', async () => {
    const cluster = new InProcessCluster({ nodes: 7 });
    await cluster.start();
    for (const id of cluster.ids.slice(0, 5)) {
      await cluster.crash(id);
      cluster.wipe(id);
    }
    for (const id of cluster.ids.slice(0, 5)) await cluster.launch(id);
    await cluster.pass(10_000);
    for (const id of cluster.ids.slice(0, 5)) expect(cluster.node(id).membership.view).toBeUndefined();
    const waiting = cluster.log.filter((line) => line.includes('n1 info an empty data folder')).at(-1);
    expect(waiting).toContain('"knowACluster":["n6","n7"]');
  });

  it('of one node is created, serves, and comes back', async () => {
    const cluster = new InProcessCluster({ nodes: 1 });
    await cluster.start();
    await cluster.settle(cluster.node('n1').api.write(put('k', 'v')));
    await cluster.crash('n1');
    await cluster.start();
    expect(valuesOf(await cluster.settle(cluster.node('n1').api.get(get('k'))))).toEqual(['v']);
  });

  it('is joined by a founder that missed its creation', async () => {
    const cluster = new InProcessCluster();
    for (const id of cluster.ids) await cluster.launch(id);
    cluster.loses = deafTo('n3');
    await cluster.until(() => cluster.node('n1').membership.standing.actor !== undefined, 'n1 to be granted');
    expect(cluster.node('n3').membership.view).toBeUndefined();
    cluster.loses = () => false;
    await cluster.until(() => cluster.ids.every((id) => cluster.node(id).api.notReady() === undefined), 'all to serve');
    expect(cluster.fatal.size).toBe(0);
  });

  it('ends its search without an error when the node is stopped', async () => {
    const cluster = new InProcessCluster();
    await cluster.launch('n1');
    await cluster.pass(1000);
    await cluster.stop('n1');
    await cluster.pass(5000);
    expect(cluster.fatal.size).toBe(0);
  });
});

describe('the whole cluster', () => {
  it('comes back from its folders after the power failed everywhere, and a majority is enough', async () => {
    const cluster = new InProcessCluster();
    await cluster.start();
    await cluster.settle(cluster.node('n1').api.write(put('k', 'v', { w: 'all' })));
    const { clusterId } = cluster.node('n1').membership.view?.state ?? {};
    for (const id of cluster.ids) await cluster.crash(id);
    await cluster.start(['n1', 'n3']);
    expect(cluster.node('n3').membership.view?.state.clusterId).toBe(clusterId);
    expect(valuesOf(await cluster.settle(cluster.node('n3').api.get(get('k'))))).toEqual(['v']);
  });

  it('refuses a node that is not in its own file', async () => {
    const cluster = new InProcessCluster();
    await cluster.start();
    cluster.configs.set('n9', cluster.config);
    await cluster.launch('n9');
    await cluster.until(() => cluster.fatal.has(nodeId('n9')), 'n9 to refuse');
    expect(cluster.fatal.get('n9')).toMatchObject({ exitCode: 2 });
  });
});
