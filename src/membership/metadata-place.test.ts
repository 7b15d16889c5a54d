/** A grant is durable only a moment after it was given: in that moment the place under which it was given may be lost. */
import { pack, unpack } from 'msgpackr';
import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { isRaft } from '../../test/messages.ts';
import { ByteWriter } from '../core/bytes.ts';
import { partition } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';
import { writeNotice } from '../rpc/envelope.ts';

let cluster: InProcessCluster;
const membershipOf = (id: string) => cluster.node(id).membership;
const memberSeenBy = (id: string) => membershipOf(id).view?.state.members.find((member) => member.id === 'n2');
const isGranted = (): boolean => membershipOf('n2').standing.actor !== undefined;
const whole = () => cluster.until(() => membershipOf('n2').standing.isWhole, 'n2 to have caught up');

/** How far the message says that the log is committed. */
function commitOf(message: Uint8Array): number {
  const body: unknown = isRaft(message) ? unpack(message.subarray(2)) : undefined;
  const isTelling = typeof body === 'object' && body !== null && 'commit' in body;
  return isTelling && typeof body.commit === 'number' ? body.commit : 0;
}

/** Until the second node, asking for a grant while this runs, has been given it, but does not have that on its disk. */
async function untilGrantedAndNotFlushed(ask: () => void | Promise<void>): Promise<void> {
  const before = memberSeenBy('n1');
  const { commit } = membershipOf('n1').raftMetrics ?? { commit: 0 };
  // The entry comes, and is flushed before it is known to be committed.
  cluster.loses = (_, to, message) => to === 'n2' && commitOf(message) > commit;
  await ask();
  await cluster.until(() => memberSeenBy('n1') !== before, 'the grant');
  await cluster.pass(100);
  cluster.disk('n2').hold();
  cluster.loses = () => false;
  await cluster.until(() => memberSeenBy('n2')?.grant === memberSeenBy('n1')?.grant, 'n2 to hear of it');
}

/** The leader says that the second node has acknowledged more of the log than it has. */
async function loseLog(): Promise<void> {
  const { term = 0 } = membershipOf('n1').raftMetrics ?? {};
  const heartbeat = pack({ kind: 'heartbeat', from: 1, to: 2, term, commit: 1_000_000, round: 1 });
  cluster.send('n1', 'n2', writeNotice(new ByteWriter(), METHOD.raft, heartbeat).copy());
  await cluster.until(() => membershipOf('n2').metadata?.isStopped === true, 'n2 to take no further part');
}

beforeEach(async () => {
  cluster = new InProcessCluster();
  await cluster.start();
  expect(membershipOf('n1').leader).toBe('n1');
});

describe('a place in the metadata group that is lost while a grant is made durable', () => {
  it('is taken anew by a node that starts', async () => {
    await cluster.crash('n2');
    await untilGrantedAndNotFlushed(() => cluster.launch('n2'));
    await loseLog();
    cluster.disk('n2').release();
    await cluster.pass(1000);
    await cluster.until(isGranted, 'n2 to be granted');
    await whole();
    expect(memberSeenBy('n1')?.raft).not.toBe(2);
    expect(membershipOf('n2').metadata?.isStopped).toBe(false);
  });

  it('is taken anew by a node that runs, which does not write under that grant', async () => {
    await untilGrantedAndNotFlushed(() => membershipOf('n2').forgot(partition(0)));
    await loseLog();
    expect(isGranted()).toBe(false);
    cluster.disk('n2').release();
    await cluster.until(isGranted, 'n2 to be granted');
    expect(memberSeenBy('n1')?.raft).not.toBe(2);
    await whole();
  });
});
