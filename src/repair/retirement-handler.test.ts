import { beforeEach, describe, expect, it } from 'vitest';
import { dot, dots } from '../core/causality/causality-builders.ts';
import { actorOf } from '../core/causality/dot.ts';
import { hintedWrites } from '../core/causality/hinted-writes.ts';
import { createCommand, grantCommand, History, n2 } from '../core/cluster/cluster-builders.ts';
import { epoch, logIndex, memberNumber, type ObjectKey, objectKey, partition } from '../core/ids.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import { Standing } from '../membership/standing.ts';
import { EndedActors } from '../replica/ended-actors.ts';
import { HintStore } from '../replica/hint-store.ts';
import { openTestStore, type TestStore } from '../storage/storage-builders.ts';
import { answerRetirement } from './retirement-handler.ts';
import type { RetirementAnswer } from './retirement-messages.ts';

const key = (name: string): ObjectKey => objectKey('b', name);
const history = new History(
  createCommand(),
  grantCommand('of n2', [], { member: n2, store: 'folder 2' }),
  grantCommand('before', []),
  grantCommand('now', []),
);
const ended = logIndex(history.member('n1').grant - 1);

let disk: TestStore;
let hints: HintStore;

/** What the second node answers, asked of the first one's actors that have ended. */
function ask(): Promise<RetirementAnswer> {
  const standing = new Standing({ isOpen: () => false, isOver: true });
  standing.grant(actorOf(memberNumber(2), history.member('n2').grant));
  const { store } = disk;
  const view = new ClusterView(history.present);
  const needs = { self: n2, store, hints, standing, currentView: () => view, mayAgree: () => true };
  const request = { member: memberNumber(1), floor: ended, entries: undefined };
  return answerRetirement({ ...needs, ended: new EndedActors(store, () => new Map()) }, request);
}

function keep(name: string, version = new Uint8Array(1)): void {
  const written = dots(`1.${ended}.1`);
  const siblings = [{ dot: dot(`1.${ended}.1`), version }];
  const writes = hintedWrites({ siblings, context: written }, written);
  hints.keep(memberNumber(3), { epoch: epoch(1), partition: partition(0), key: key(name) }, writes, 'counted');
}

beforeEach(async () => {
  disk = await openTestStore();
  hints = new HintStore(disk.store, disk.clock, 100 << 20, disk.logger);
});

describe('asked what it holds of ended actors, a node', () => {
  it('tells what its hints hold', async () => {
    keep('k');
    expect(await ask()).toMatchObject({ kind: 'told', kept: new Map([[partition(0), dots(`1.${ended}.1`)]]) });
  });

  it('looks through no more hints than it can in one step', async () => {
    for (let i = 0; i < 8; i++) keep(`large ${i}`, new Uint8Array(1 << 20));
    expect(await ask()).toMatchObject({ kind: 'refused', reason: expect.stringContaining('to be delivered first') });
  });

  it('waits for a hint that it cannot read, and in the end speaks without one that is damaged (H21)', async () => {
    keep('k');
    keep('damaged');
    disk.store.applyMeta([{ key: `hint/3/${key('damaged')}`, value: Uint8Array.of(9) }]);
    hints = new HintStore(disk.store, disk.clock, 100 << 20, disk.logger);
    expect(await ask()).toEqual({ kind: 'refused', reason: 'hints that cannot be read now' });
    disk.clock.advance(60_000);
    expect(await ask()).toMatchObject({ kind: 'told', kept: new Map([[partition(0), dots(`1.${ended}.1`)]]) });
  });

  it('waits for one that it finds in answering', async () => {
    keep('k');
    disk.store.applyMeta([{ key: `hint/3/${key('k')}`, value: Uint8Array.of(9) }]);
    expect(await ask()).toMatchObject({ kind: 'refused' });
  });
});
