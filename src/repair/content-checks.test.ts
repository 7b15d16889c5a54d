import { beforeEach, describe, expect, it } from 'vitest';
import { createCommand, History, n1, n2 } from '../core/cluster/cluster-builders.ts';
import { memberNumber, nodeId, partition } from '../core/ids.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import { TestLogger } from '../storage/storage-builders.ts';
import { ManualClock } from '../system/manual-clock.ts';
import { CONTENT_CORRUPT, CONTENT_DIFFERS, ContentChecks } from './content-checks.ts';

const n3 = nodeId('n3');
const p = partition(2);

let clock: ManualClock;
let logger: TestLogger;
let view: ClusterView;
let checks: ContentChecks;
let known: number | undefined;

beforeEach(() => {
  clock = new ManualClock();
  logger = new TestLogger();
  view = new ClusterView(new History(createCommand()).present);
  known = 77;
  const replica = { contentHash: () => known };
  checks = new ContentChecks({ self: n1, replica, clock, logger, currentView: () => view });
});

const alarms = (message: string) => logger.lines.filter((line) => line.message === message && line.level === 'error');

describe('the hash that is compared', () => {
  it('is told once this start has caught up with every other owner, and of what is known only', () => {
    expect(checks.hashOf(p)).toBeUndefined();
    checks.covers(n2, p);
    expect(checks.hashOf(p)).toBeUndefined();
    checks.covers(n3, p);
    expect(checks.hashOf(p)).toBe(77);
    expect(checks.hashOf(partition(1))).toBeUndefined();
    known = undefined;
    expect(checks.hashOf(p)).toBeUndefined();
  });

  it('is missing of as many partitions as the metric says', () => {
    expect(checks.unknown).toBe(4);
    for (const peer of [n2, n3]) checks.covers(peer, p);
    expect(checks.unknown).toBe(3);
  });
});

describe('contents that differ under equal clocks', () => {
  it('are looked at a second time before anything is said or done about them', () => {
    checks.compared(n2, p, false);
    expect([checks.counts.mismatches, checks.due(n2), checks.current()]).toEqual([0, [], []]);
    clock.advance(1500);
    checks.compared(n2, p, false);
    expect(checks.counts).toMatchObject({ compared: 2, mismatches: 1 });
    expect(alarms(CONTENT_DIFFERS)).toMatchObject([{ fields: { peer: n2, partition: p } }]);
    expect([checks.due(n2), checks.due(n3)]).toEqual([[p], []]);
    expect(checks.current()).toEqual([{ peer: n2, partition: p, missingHere: 0, missingThere: 0, forMs: 1500 }]);
  });

  it('are forgotten when the second look finds them equal: they differed in flight', () => {
    checks.compared(n2, p, false);
    checks.compared(n2, p, true);
    checks.compared(n2, p, false);
    expect([checks.counts.mismatches, checks.due(n2)]).toEqual([0, []]);
  });

  it('are counted once, however often they are seen', () => {
    for (let i = 0; i < 5; i++) checks.compared(n2, p, false);
    expect(checks.counts.mismatches).toBe(1);
    expect(alarms(CONTENT_DIFFERS)).toHaveLength(1);
  });

  it('are over when they are equal after the repair', () => {
    for (let i = 0; i < 2; i++) checks.compared(n2, p, false);
    checks.repaired(n2, p);
    checks.compared(n2, p, true);
    clock.advance(3_600_000);
    expect([checks.corrupt, checks.due(n2), checks.current()]).toEqual([0, [], []]);
  });

  it('are corruption when two repairs did not mend them, and two looks after that agree', () => {
    for (let i = 0; i < 2; i++) checks.compared(n2, p, false);
    checks.repaired(n2, p);
    for (let i = 0; i < 5; i++) checks.compared(n2, p, false);
    clock.advance(10_000);
    checks.repaired(n2, p);
    checks.compared(n2, p, false);
    expect(checks.corrupt).toBe(0);
    checks.compared(n2, p, false);
    expect(checks.corrupt).toBe(1);
    checks.compared(n2, p, false);
    expect(alarms(CONTENT_CORRUPT)).toHaveLength(1);
    checks.compared(n2, p, true);
    expect(checks.corrupt).toBe(0);
  });

  it('are repaired again less and less often, but for ever', () => {
    for (let i = 0; i < 2; i++) checks.compared(n2, p, false);
    const waited: number[] = [];
    for (let repair = 0; repair < 7; repair++) {
      checks.repaired(n2, p);
      let ms = 0;
      for (; checks.due(n2).length === 0; ms += 1000) clock.advance(1000);
      waited.push(ms);
    }
    expect(waited).toEqual([10_000, 40_000, 160_000, 640_000, 2_560_000, 3_600_000, 3_600_000]);
  });

  it('are tried again soon where the repair could not be carried through', () => {
    for (let i = 0; i < 2; i++) checks.compared(n2, p, false);
    checks.putOff(n2, p);
    expect(checks.due(n2)).toEqual([]);
    clock.advance(5000);
    expect(checks.due(n2)).toEqual([p]);
  });

  it('are of no interest where the other one is no owner any more', () => {
    for (let i = 0; i < 2; i++) checks.compared(n2, p, false);
    checks.forgetOthers(view);
    expect(checks.current()).toHaveLength(1);
    const ownership = Array.from({ length: 4 }, () => [1, 3].map(memberNumber));
    checks.forgetOthers(new ClusterView(new History(createCommand({ n: 2, ownership })).present));
    expect(checks.current()).toEqual([]);
  });
});
