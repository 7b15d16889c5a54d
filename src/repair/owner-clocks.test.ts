import { beforeEach, describe, expect, it } from 'vitest';
import { ByteWriter } from '../core/bytes.ts';
import { actorOf } from '../core/causality/dot.ts';
import { type DotSet, dotSetOf } from '../core/causality/dot-set.ts';
import { createCommand, History, n1, n2 } from '../core/cluster/cluster-builders.ts';
import { logIndex, memberNumber, partition } from '../core/ids.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import { METHOD } from '../protocol.ts';
import { Calls } from '../rpc/calls.ts';
import type { RequestHandler } from '../rpc/incoming.ts';
import { MemoryNetwork } from '../rpc/memory-transport.ts';
import { ManualClock, memoryLogger, seededRandom } from '../rpc/test-ports.ts';
import { OwnerClocks } from './owner-clocks.ts';
import { readSyncRequest, writeSyncAnswer } from './sync-messages.ts';

const view = new ClusterView(new History(createCommand()).present);
const OWNER = memberNumber(2);
const OTHER = memberNumber(3);
const at = partition(0);
const dots = (...counters: readonly number[]): DotSet =>
  dotSetOf(counters.map((counter) => ({ actor: actorOf(memberNumber(1), logIndex(4)), counter })));

describe('the clocks of owners for which there are hints', () => {
  let clock: ManualClock;
  let clocks: OwnerClocks;
  let held: DotSet;
  let asked: number;

  /** `n2` answers as an owner whose clock of partition 0 is `held`. */
  const answers: RequestHandler = (body, request) => {
    asked++;
    expect(readSyncRequest(body).digests.map((one) => one.partition)).toEqual(view.partitionsOf(n2));
    const out = new ByteWriter();
    writeSyncAnswer(out, { differing: [{ partition: at, clock: held }], refused: [], mismatched: [], uncompared: [] });
    request.reply(out.view());
  };
  const ask = (): void => {
    for (const member of view.state.members) if (member.number === OWNER) clocks.ask(view, member);
    clock.advance(0);
  };
  const has = (...counters: readonly number[]): boolean => clocks.has(OWNER, at, dots(...counters));

  beforeEach(async () => {
    clock = new ManualClock();
    [held, asked] = [dots(1, 2), 0];
    const network = new MemoryNetwork(clock);
    const start = async (node: typeof n1, seed: number): Promise<Calls> => {
      const transport = network.transport(node);
      const requests = new Map([[METHOD.sync, answers]]);
      const ports = { clock, random: seededRandom(seed), logger: memoryLogger() };
      const calls = new Calls({ transport, ...ports, requests, notices: new Map() });
      await calls.start();
      transport.setPeers(new Map([n1, n2].map((peer) => [peer, { host: 'nowhere', port: 0 }])));
      return calls;
    };
    clocks = new OwnerClocks(await start(n1, 1), clock);
    await start(n2, 2);
    clock.advance(0);
  });

  it('say nothing before they were asked for, and nothing of other owners and partitions', () => {
    expect(has(1)).toBe(false);
    ask();
    expect(has(1)).toBe(true);
    expect(clocks.has(OWNER, partition(1), dots(1))).toBe(false);
    expect(clocks.has(OTHER, at, dots(1))).toBe(false);
  });

  it('have what was told whole, or do not have it', () => {
    ask();
    expect([has(1, 2), has(2, 3), has(3)]).toEqual([true, false, false]);
  });

  it('are asked for twice a second at most, and grow', () => {
    for (let i = 0; i < 10; i++) ask();
    expect(asked).toBe(1);
    held = dots(1, 2, 3);
    clock.advance(500);
    ask();
    expect(asked).toBe(2);
    expect(has(3)).toBe(true);
  });

  it('are gone when they are forgotten', () => {
    ask();
    clocks.forget(OWNER);
    expect(has(1)).toBe(false);
  });
});
