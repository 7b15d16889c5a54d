/** What becomes of a damaged record that was had again while somebody was passed over who may have had more. */
import { expect, it } from 'vitest';
import {
  damage,
  damagedAt,
  except,
  flip,
  holds,
  KEY,
  loseHints,
  type Setting,
  started,
  write,
} from '../../test/damaged-records.ts';
import { requestMethod } from '../../test/messages.ts';
import { get, valuesOf } from '../../test/requests.ts';
import type { NodeId } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';

const BRINGS: readonly unknown[] = [METHOD.replicate, METHOD.hint, METHOD.sync, METHOD.missing, METHOD.compare];

/** The node hears of no write, from nobody. */
function cutOff({ cluster }: Setting, node: NodeId): void {
  cluster.loses = (from, to, message) => (from === node || to === node) && BRINGS.includes(requestMethod(message));
}

/** `before` is on all owners, `acknowledged` on the first two; the second goes down, the first one's record bad. */
async function aloneAtTheSecond(nodes = 3): Promise<Setting & { readonly second: NodeId; readonly third: NodeId }> {
  const setting = await started(nodes);
  const { cluster, first, others } = setting;
  const [second = first, third = first] = others;
  await write(setting, 'before', 3);
  cutOff(setting, third);
  await write(setting, 'acknowledged', 2);
  await cluster.crash(second);
  // Before it has kept a hint for the third.
  await cluster.crash(first);
  await cluster.start([first]);
  await damage(setting);
  cluster.loses = () => false;
  await cluster.start([first]);
  await cluster.until(() => damagedAt(setting) === 1, 'the damage to be found');
  return { ...setting, second, third };
}

async function hadAgain(setting: Setting): Promise<void> {
  await setting.cluster.until(() => damagedAt(setting) === 0, 'the damaged record to be had again', 90_000);
}

const read = async ({ cluster }: Setting, node: NodeId, r: number): Promise<readonly string[]> =>
  valuesOf(await cluster.settle(cluster.node(node).api.get(get('k', { r }))));

/** The given owners hold that, and nothing else; none of their records lacks anything. */
async function agree(setting: Setting, value: string, not: string): Promise<void> {
  const { cluster, first, others } = setting;
  const owners = [first, ...others];
  const isSo = (node: NodeId): boolean =>
    holds(setting, node, value) && !holds(setting, node, not) && cluster.node(node).replica.incomplete.count === 0;
  await cluster.until(() => owners.every(isSo), `all to hold ${value} alone`, 90_000);
  await cluster.pass(30_000);
  expect(owners.map(isSo)).toEqual(owners.map(() => true));
  expect(await read(setting, first, owners.length)).toEqual([value]);
  for (const node of owners) expect(cluster.node(node).contents.counts.mismatches).toBe(0);
  expect(cluster.fatal).toEqual(new Map());
}

it('what the owner that was passed over alone has is there again when it comes back after all', async () => {
  const setting = await aloneAtTheSecond();
  const { cluster, first, second, third } = setting;
  await except(setting, first, second);
  await hadAgain(setting);
  // The others exchange what they hold and what their clocks say, and are started again with that.
  await cluster.pass(10_000);
  for (const node of [first, third]) await cluster.stop(node);
  await cluster.start([first, third]);
  await cluster.pass(10_000);
  expect([await read(setting, first, 2), await read(setting, third, 2)]).toEqual([['before'], ['before']]);
  expect(cluster.node(first).replica.incomplete.count).toBe(1);
  await cluster.start([second]);
  await agree(setting, 'acknowledged', 'before');
});

it('a read that comes before any exchange shows it too, and loses nothing', async () => {
  const setting = await aloneAtTheSecond();
  const { cluster, first, second } = setting;
  await except(setting, first, second);
  await hadAgain(setting);
  await cluster.pass(10_000);
  const exchanges: readonly unknown[] = [METHOD.sync, METHOD.missing, METHOD.compare];
  cluster.loses = (_, __, message) => exchanges.includes(requestMethod(message));
  await cluster.start([second]);
  for (const node of setting.others) expect(await read(setting, node, 3)).toEqual(['acknowledged']);
  cluster.loses = () => false;
  await agree(setting, 'acknowledged', 'before');
});

it('a write made meanwhile does not overwrite what it could not see', async () => {
  const setting = await aloneAtTheSecond();
  const { cluster, first, second } = setting;
  await except(setting, first, second);
  await hadAgain(setting);
  await write(setting, 'meanwhile', 2);
  await cluster.pass(10_000);
  await cluster.start([second]);
  await cluster.pass(30_000);
  expect((await read(setting, first, 3)).toSorted()).toEqual(['acknowledged', 'meanwhile']);
  expect([first, ...setting.others].map((node) => cluster.node(node).replica.incomplete.count)).toEqual([0, 0, 0]);
});

it('what was had again stays when that owner comes back with an empty folder: nobody has more', async () => {
  const setting = await aloneAtTheSecond();
  const { cluster, first, second } = setting;
  await except(setting, first, second);
  await hadAgain(setting);
  await cluster.pass(10_000);
  cluster.wipe(second);
  await cluster.launch(second);
  await agree(setting, 'before', 'acknowledged');
});

it('also where no other owner had anything left, so that one with a lost folder could catch up', async () => {
  const setting = await started(5);
  const { cluster, first, others } = setting;
  const [second = first, lost = first] = others;
  await write(setting, 'before', 3);
  await write(setting, 'acknowledged', 3);
  await cluster.crash(second);
  await damage(setting);
  await cluster.start([first]);
  await cluster.until(() => damagedAt(setting) === 1, 'the damage to be found');
  await cluster.crash(lost);
  cluster.wipe(lost);
  await cluster.launch(lost);
  const { catchUp, standing } = cluster.node(lost).membership;
  await cluster.until(() => standing.actor !== undefined, 'the lost one to be granted');
  await except(setting, lost, second);
  await except(setting, first, second);
  await cluster.until(() => catchUp.isOver, 'the lost one to have caught up', 90_000);
  expect(await read(setting, lost, 2)).toEqual([]);
  await cluster.start([second]);
  await agree(setting, 'acknowledged', 'before');
});

it('what an owner could not read for more than a minute is there again when it can', async () => {
  const setting = await started(3);
  const { cluster, first, others } = setting;
  const [second = first, third = first] = others;
  await write(setting, 'before', 3);
  cutOff(setting, third);
  await write(setting, 'acknowledged', 2);
  for (const node of [second, first]) await cluster.crash(node);
  await cluster.start([second, first]);
  for (const node of [second, first]) await damage(setting, node);
  // The second asks nobody: it would give its own record up.
  cluster.loses = (from, to, message) =>
    (from === second && requestMethod(message) === METHOD.read) ||
    ((from === third || to === third) && BRINGS.includes(requestMethod(message)));
  await cluster.start([second, first]);
  await cluster.until(() => damagedAt(setting) === 1, 'the damage to be found');
  await hadAgain(setting);
  expect(holds(setting, first, 'before')).toBe(true);
  cluster.loses = (from, _, message) => from === second && requestMethod(message) === METHOD.read;
  await cluster.pass(20_000);
  expect(holds(setting, first, 'before')).toBe(true);
  await flip(setting, second);
  cluster.loses = () => false;
  await agree(setting, 'acknowledged', 'before');
});

it('what a fallback that was passed over keeps reaches the owners it keeps it for', async () => {
  const setting = await started(5);
  const { cluster, first, others, fallbacks } = setting;
  const [fallback = first, idle = first] = fallbacks;
  await write(setting, 'before', 3);
  for (const node of [...others, idle]) await cluster.stop(node);
  await write(setting, 'acknowledged', 2);
  await cluster.crash(fallback);
  await cluster.crash(first);
  loseHints(setting);
  await cluster.start([...others, idle, first]);
  // The hints of the first are lost with its record.
  const { hints } = cluster.node(first);
  for (const hint of hints.hintsOf(KEY)) hints.delivered(hint);
  await damage(setting);
  cluster.loses = () => false;
  await cluster.start([first]);
  await cluster.until(() => damagedAt(setting) === 1, 'the damage to be found');
  await except(setting, first, fallback);
  await hadAgain(setting);
  await cluster.pass(10_000);
  expect(await read(setting, first, 3)).toEqual(['before']);
  await cluster.start([fallback]);
  await agree(setting, 'acknowledged', 'before');
});
