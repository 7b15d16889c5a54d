/** Where a damaged record is had again from, when the other owners have not seen all that was in it. */
import { describe, expect, it } from 'vitest';
import {
  damage,
  damagedAt,
  except,
  holds,
  KEY,
  loseHints,
  type Setting,
  started,
  write,
} from '../../test/damaged-records.ts';
import { requestMethod } from '../../test/messages.ts';
import { put } from '../../test/requests.ts';
import { METHOD } from '../protocol.ts';

/** Another key of the partition. */
function neighbour({ cluster, partition, first }: Setting): string {
  const { api } = cluster.node(first);
  for (let i = 0; ; i++) if (api.ringOf('b', `key-${i}`).partition === partition) return `key-${i}`;
}

async function allHold(setting: Setting, value: string): Promise<void> {
  const { cluster, first, others } = setting;
  const { damageRepair } = cluster.node(first).antiEntropy;
  await cluster.until(() => damageRepair.mended === 1, 'the damaged record to be had again', 90_000);
  // The other owners take the first one's clock in, and what it has lost for deleted.
  loseHints(setting);
  await cluster.pass(10_000);
  cluster.loses = () => false;
  await cluster.until(() => [first, ...others].every((node) => holds(setting, node, value)), `all to hold ${value}`);
  expect(cluster.fatal).toEqual(new Map());
}

it('from the fallbacks that have acknowledged a write in place of the other owners (H18)', async () => {
  const setting = await started(5);
  const { cluster, others } = setting;
  await write(setting, 'before', 3);
  for (const node of others) await cluster.stop(node);
  await write(setting, 'acknowledged', 2);
  await damage(setting);
  loseHints(setting);
  await cluster.start([...others, setting.first]);
  await allHold(setting, 'acknowledged');
});

it('not before a fallback has answered that may have acknowledged a write in place of another owner (C8)', async () => {
  const setting = await started(5);
  const { cluster, others, first, fallbacks } = setting;
  await write(setting, 'before', 3);
  for (const node of others) await cluster.stop(node);
  await write(setting, 'acknowledged', 2);
  await damage(setting);
  const lost: readonly unknown[] = [METHOD.replicate, METHOD.readHint];
  cluster.loses = (_, __, message) => lost.includes(requestMethod(message));
  await cluster.start([...others, first]);
  await cluster.until(() => damagedAt(setting) === 1, 'the damage to be found');
  await cluster.pass(30_000);
  expect([damagedAt(setting), fallbacks.length]).toEqual([1, 2]);
  loseHints(setting);
  await allHold(setting, 'acknowledged');
});

it('from the hints that it has kept itself, of what it alone has acknowledged', async () => {
  const setting = await started(3);
  const { cluster, others } = setting;
  await write(setting, 'before', 3);
  for (const node of others) await cluster.stop(node);
  await write(setting, 'acknowledged', 1);
  await damage(setting);
  loseHints(setting);
  await cluster.start([...others, setting.first]);
  await allHold(setting, 'acknowledged');
});

it('from an owner that is catching up, and holds what the third one has never seen', async () => {
  const setting = await started(3);
  const { cluster, others, first } = setting;
  const [second = first, third = first] = others;
  await write(setting, 'before', 3);
  await cluster.stop(third);
  await write(setting, 'acknowledged', 2);
  // The second is put back from a copy that has this write, and lacks a later one.
  await cluster.stop(second);
  const copy = cluster.disk(second).copy();
  await cluster.start([second]);
  await cluster.settle(cluster.node(first).api.write(put(neighbour(setting), 'later', { w: 2 })));
  await cluster.stop(second);
  cluster.restore(second, copy);
  await damage(setting);
  // Nothing but the damaged record's repair: the third hears of the write from nobody.
  const exchange: readonly unknown[] = [METHOD.replicate, METHOD.missing, METHOD.compare];
  cluster.loses = (_, __, message) => exchange.includes(requestMethod(message));
  for (const node of [second, third, first]) await cluster.launch(node);
  await allHold(setting, 'acknowledged');
});

describe('from the others, where one of these has its own damaged too', () => {
  it('at once, when they have seen all that was in it', async () => {
    const setting = await started(3);
    const { cluster, first, others } = setting;
    const [second = first] = others;
    await write(setting, 'acknowledged', 3);
    await damage(setting);
    await damage(setting, second);
    await cluster.start([first, second]);
    const isMended = (node: string): boolean => cluster.node(node).antiEntropy.damageRepair.mended === 1;
    await cluster.until(() => isMended(first) && isMended(second), 'both to be had again', 10_000);
    expect([first, second].map((node) => holds(setting, node, 'acknowledged'))).toEqual([true, true]);
  });

  it('not before it has had time to be read again, when they have not', async () => {
    const setting = await started(3);
    const { cluster, first, others } = setting;
    const [second = first, third = first] = others;
    await write(setting, 'before', 3);
    await cluster.stop(third);
    await write(setting, 'acknowledged', 2);
    await damage(setting);
    await damage(setting, second);
    // The third hears of the write from nobody.
    const exchange: readonly unknown[] = [METHOD.replicate, METHOD.missing, METHOD.compare];
    cluster.loses = (_, __, message) => exchange.includes(requestMethod(message));
    for (const node of [second, third, first]) await cluster.launch(node);
    await cluster.until(() => damagedAt(setting) === 1, 'the damage to be found');
    await cluster.pass(30_000);
    expect(damagedAt(setting)).toBe(1);
  });
});

it('from nobody where there is no other owner: it is an error for good, and never absent (H1)', async () => {
  const setting = await started(3, 1);
  const { cluster, first, partition } = setting;
  await write(setting, 'acknowledged', 1);
  await damage(setting);
  await cluster.start([first]);
  await cluster.until(() => damagedAt(setting) === 1, 'the damage to be found');
  await cluster.pass(90_000);
  expect(damagedAt(setting)).toBe(1);
  expect(() => cluster.store(first).read(partition, KEY)).toThrow('damaged');
});

describe('with an owner that will never come back', () => {
  it('from the others, once an operator has said that it is not to be waited for', async () => {
    const setting = await started(5);
    const { cluster, first, others } = setting;
    const [dead = first] = others;
    await write(setting, 'acknowledged', 3);
    await cluster.crash(dead);
    await damage(setting);
    await cluster.start([first]);
    await cluster.until(() => damagedAt(setting) === 1, 'the damage to be found');
    await cluster.pass(10_000);
    expect(damagedAt(setting)).toBe(1);
    expect((await except(setting, first, dead)).excepted).toEqual([dead]);
    await cluster.until(() => damagedAt(setting) === 0, 'the damaged record to be had again');
    expect(holds(setting, first, 'acknowledged')).toBe(true);
    expect(cluster.node(first).api.catchUp().excepted).toEqual([]);
  });

  it('from it after all, when it does come back', async () => {
    const setting = await started(5);
    const { cluster, first, others } = setting;
    const [dead = first, third = first] = others;
    await write(setting, 'before', 3);
    await cluster.stop(third);
    await write(setting, 'acknowledged', 2);
    await cluster.crash(dead);
    await damage(setting);
    // The third, which has not seen the write, does not tell before the other one is back.
    const lost: readonly unknown[] = [METHOD.replicate, METHOD.read];
    cluster.loses = (_, __, message) => lost.includes(requestMethod(message));
    await cluster.start([first, third]);
    await cluster.until(() => damagedAt(setting) === 1, 'the damage to be found');
    await except(setting, first, dead);
    await cluster.start([dead]);
    expect(damagedAt(setting)).toBe(1);
    loseHints(setting);
    await allHold(setting, 'acknowledged');
  });

  it('so that one whose folder was lost can catch up with the damaged partition', async () => {
    const setting = await started(5);
    const { cluster, first, others } = setting;
    const [dead = first, lost = first] = others;
    await write(setting, 'acknowledged', 3);
    await cluster.crash(dead);
    await damage(setting);
    await cluster.start([first]);
    await cluster.crash(lost);
    cluster.wipe(lost);
    await cluster.launch(lost);
    const { catchUp, standing } = cluster.node(lost).membership;
    await cluster.until(() => standing.actor !== undefined, 'the lost one to be granted');
    await except(setting, lost, dead);
    await cluster.pass(5000);
    expect(catchUp.isOver).toBe(false);
    await except(setting, first, dead);
    await cluster.until(() => catchUp.isOver, 'the lost one to have caught up', 90_000);
    expect(damagedAt(setting)).toBe(0);
  });
});
