/** H1, H24, R3: what a folder that lost something does until its loss is known, and until it has its next grant. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { isRaft, requestMethod } from '../../test/messages.ts';
import { get, put, valuesOf } from '../../test/requests.ts';
import { METHOD } from '../protocol.ts';

let cluster: InProcessCluster;
const membershipOf = (id: string) => cluster.node(id).membership;
const memberOf = (id: string) => membershipOf('n1').view?.state.members.find((member) => member.id === id);
const write = (node: string, key: string, value: string, w: number | 'all' = 'all') =>
  cluster.settle(cluster.node(node).api.write(put(key, value, { w })));
const whole = (id: string) => cluster.until(() => membershipOf(id).standing.isWhole, `${id} to have caught up`);

/** The folder as it is now, and how to put it back. The node is down then. */
async function copied(id: string): Promise<() => Promise<void>> {
  await cluster.crash(id);
  const { log, state } = cluster.disk(id);
  cluster.disk(id).cutPower(() => 0);
  return async () => {
    if (cluster.isRunning(id)) await cluster.crash(id);
    Object.assign(cluster.disk(id), { log, state });
    await cluster.launch(id);
  };
}

const toOrFrom =
  (id: string, method: number) =>
  (from: string, to: string, message: Uint8Array): boolean =>
    (from === id || to === id) && requestMethod(message) === method;

beforeEach(async () => {
  cluster = new InProcessCluster();
  await cluster.start();
});

describe('a folder in whose place another was readmitted, put back', () => {
  it('is recognised although nobody could be asked when it started, and no leader speaks to it', async () => {
    const putBack = await copied('n2');
    cluster.wipe('n2');
    await cluster.launch('n2');
    await whole('n2');
    await write('n1', 'k', 'v');
    cluster.loses = toOrFrom('n2', METHOD.latestStart);
    await putBack();
    await cluster.pass(1500);
    cluster.loses = () => false;
    await whole('n2');
    expect(cluster.fatal.size).toBe(0);
  });

  it('does not answer reads from what it had meanwhile', async () => {
    await write('n1', 'k', 'old');
    const putBack = await copied('n2');
    cluster.wipe('n2');
    await cluster.launch('n2');
    await whole('n2');
    cluster.cut('n1', 'n3');
    cluster.cut('n2', 'n3');
    await cluster.pass(3000);
    await write('n2', 'k', 'new', 2);
    cluster.loses = toOrFrom('n2', METHOD.latestStart);
    await putBack();
    cluster.cut('n1', 'n2');
    await cluster.pass(1500);
    cluster.loses = () => false;
    cluster.mend('n1', 'n2');
    cluster.mend('n1', 'n3');
    cluster.mend('n2', 'n3');
    await whole('n2');
    expect(valuesOf(await cluster.settle(cluster.node('n2').api.get(get('k', { r: 2 }))))).toContain('new');
  });

  it('is recognised although the other never had a grant', async () => {
    const putBack = await copied('n2');
    cluster.wipe('n2');
    cluster.loses = (_, to, message) => to === 'n2' && isRaft(message);
    await cluster.launch('n2');
    await cluster.until(() => memberOf('n2')?.raft !== 2, 'n2 to be readmitted');
    await cluster.pass(500);
    cluster.loses = () => false;
    await putBack();
    await whole('n2');
    expect(cluster.fatal.size).toBe(0);
  });
});
