import { beforeEach, describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { nodeId } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';
import { Calls } from '../rpc/calls.ts';
import { MemoryNetwork } from '../rpc/memory-transport.ts';
import { TestLogger } from '../storage/storage-builders.ts';
import { ManualClock } from '../system/manual-clock.ts';
import { systemRandom } from '../system/system-random.ts';
import {
  FailureDetector,
  FLAP_WINDOW_MS,
  FLAPS,
  HEARTBEAT_MS,
  STEADY_MS,
  SUSPECT_AFTER_MS,
} from './failure-detector.ts';
import { Heartbeats } from './heartbeats.ts';

const peer = nodeId('n2');

describe('the failure detector', () => {
  it('takes an unknown and an unconnected peer for down', () => {
    const detector = new FailureDetector();
    expect(detector.seenAs(peer, 0)).toBe('down');
    detector.connected(peer);
    detector.heard(peer, 10, true);
    detector.disconnected(peer, 10);
    expect(detector.seenAs(peer, 10)).toBe('down');
    expect(detector.mayCoordinate(peer, 10)).toBe(false);
  });

  it('suspects a connected peer that is silent, until it is heard again', () => {
    const detector = new FailureDetector();
    detector.connected(peer);
    expect(detector.seenAs(peer, 100)).toBe('suspect');
    detector.heard(peer, 100, false);
    expect(detector.seenAs(peer, 100 + SUSPECT_AFTER_MS)).toBe('up');
    expect(detector.seenAs(peer, 101 + SUSPECT_AFTER_MS)).toBe('suspect');
    detector.heard(peer, 200 + SUSPECT_AFTER_MS, false);
    expect(detector.isUp(peer, 200 + SUSPECT_AFTER_MS)).toBe(true);
  });

  it('lets a peer coordinate only while it is up and says that it may', () => {
    const detector = new FailureDetector();
    detector.connected(peer);
    expect(detector.mayCoordinate(peer, 0)).toBe(false);
    detector.heard(peer, 0, true);
    expect(detector.mayCoordinate(peer, 0)).toBe(true);
    expect(detector.mayCoordinate(peer, SUSPECT_AFTER_MS + 1)).toBe(false);
    detector.heard(peer, SUSPECT_AFTER_MS + 1, false);
    expect(detector.mayCoordinate(peer, SUSPECT_AFTER_MS + 1)).toBe(false);
  });

  it('forgets a right to coordinate with the connection: the peer may have restarted', () => {
    const detector = new FailureDetector();
    detector.connected(peer);
    detector.heard(peer, 0, true);
    detector.disconnected(peer, 10);
    detector.connected(peer);
    expect(detector.mayCoordinate(peer, 1)).toBe(false);
  });
});

describe('a peer that comes and goes', () => {
  /** Lost `times` within a few milliseconds from 0 on, and heard of again at 100. */
  function flapping(times: number): FailureDetector {
    const detector = new FailureDetector();
    for (let i = 0; i < times; i++) {
      detector.connected(peer);
      detector.heard(peer, i, true);
      detector.disconnected(peer, i);
    }
    detector.connected(peer);
    detector.heard(peer, 100, true);
    return detector;
  }

  it('is not said to when it was lost now and then', () => {
    expect(flapping(FLAPS - 1).isFlapping(peer, 100)).toBe(false);
    expect(new FailureDetector().isFlapping(peer, 100)).toBe(false);
  });

  it('is said to until it has been heard steadily, and counts while it is there', () => {
    const detector = flapping(FLAPS);
    for (let nowMs = 100; nowMs < 100 + STEADY_MS; nowMs += HEARTBEAT_MS) {
      detector.heard(peer, nowMs, true);
      expect(detector.isFlapping(peer, nowMs)).toBe(true);
      expect(detector.mayCoordinate(peer, nowMs)).toBe(true);
    }
    detector.heard(peer, 100 + STEADY_MS, true);
    expect(detector.isFlapping(peer, 100 + STEADY_MS)).toBe(false);
  });

  it('is said to while it is not heard of, be it connected or not', () => {
    const detector = flapping(FLAPS);
    detector.disconnected(peer, 2000);
    expect(detector.isFlapping(peer, 5000)).toBe(true);
    detector.connected(peer);
    expect(detector.isFlapping(peer, 5000)).toBe(true);
  });

  it('is given another chance once that is long ago', () => {
    const detector = flapping(FLAPS);
    detector.disconnected(peer, 200);
    detector.connected(peer);
    detector.heard(peer, 300 + FLAP_WINDOW_MS, true);
    expect(detector.isFlapping(peer, 300 + FLAP_WINDOW_MS)).toBe(false);
  });

  it('counts as lost, too, when it was silent for longer than a suspect may be', () => {
    const detector = new FailureDetector();
    detector.connected(peer);
    const gapMs = SUSPECT_AFTER_MS + 1;
    for (let i = 0; i <= FLAPS; i++) detector.heard(peer, i * gapMs, true);
    expect(detector.losses).toBe(FLAPS);
    expect(detector.isFlapping(peer, FLAPS * gapMs)).toBe(true);
    detector.heard(peer, FLAPS * gapMs + STEADY_MS, true);
    expect(detector.isFlapping(peer, FLAPS * gapMs + STEADY_MS)).toBe(false);
  });

  it('is not lost once more with each attempt to connect that fails', () => {
    const detector = new FailureDetector();
    detector.connected(peer);
    for (let i = 0; i < 10; i++) detector.disconnected(peer, i);
    expect(detector.losses).toBe(1);
    expect(detector.seenAs(peer, 10)).toBe('down');
  });
});

describe('heartbeats', () => {
  const self = nodeId('n1');
  let clock: ManualClock;
  let detector: FailureDetector;
  let heartbeats: Heartbeats;
  let mayCoordinate: boolean;
  let isServing: boolean;
  let received: { readonly atMs: number; readonly byte: number }[];

  function callsOf(
    network: MemoryNetwork,
    id: typeof self,
    other: typeof self,
    notices: ConstructorParameters<typeof Calls>[0]['notices'],
  ) {
    const transport = network.transport(id);
    transport.setPeers(new Map([[other, { host: 'h', port: 1 }]]));
    return new Calls({
      transport,
      clock,
      random: systemRandom(),
      logger: new TestLogger(),
      requests: new Map(),
      notices,
    });
  }

  beforeEach(async () => {
    clock = new ManualClock();
    detector = new FailureDetector();
    mayCoordinate = false;
    isServing = true;
    received = [];
    const network = new MemoryNetwork(clock);
    const calls = callsOf(network, self, peer, new Map());
    const take = (_: unknown, body: ByteReader) => void received.push({ atMs: clock.monotonicMs(), byte: body.u8() });
    await calls.start();
    await callsOf(network, peer, self, new Map([[METHOD.heartbeat, take]])).start();
    detector.connected(peer);
    detector.heard(peer, 0, false);
    heartbeats = new Heartbeats({
      ...{ calls, clock, detector, random: systemRandom(), peers: () => [peer] },
      isServing: () => isServing,
      mayCoordinate: () => mayCoordinate,
    });
  });

  it('come in time to keep a peer from being suspected, and stop with the node', () => {
    heartbeats.start();
    clock.advance(4 * HEARTBEAT_MS);
    expect(received.map(({ atMs }) => atMs)).toEqual([0, 1, 2, 3, 4].map((beat) => beat * HEARTBEAT_MS));
    expect(HEARTBEAT_MS * 3).toBeLessThan(SUSPECT_AFTER_MS);
    heartbeats.stop();
    clock.advance(10 * HEARTBEAT_MS);
    expect(received).toHaveLength(5);
  });

  it('are passed over when a later one, or one of a later life, has come before', () => {
    const beat = (life: number, sequence: number, may: boolean) =>
      heartbeats.received(
        peer,
        new ByteReader(
          new ByteWriter()
            .u8(may ? 1 : 0)
            .u32(life)
            .varint(sequence)
            .copy(),
        ),
      );
    const may = () => detector.mayCoordinate(peer, clock.monotonicMs());
    beat(7, 1, false);
    beat(7, 3, true);
    beat(7, 2, false);
    expect(may()).toBe(true);
    beat(9, 1, false);
    expect(may()).toBe(false);
    beat(7, 4, true);
    expect(may()).toBe(false);
    beat(9, 2, true);
    expect(may()).toBe(true);
  });

  it('are not sent before the node knows the cluster state', () => {
    isServing = false;
    heartbeats.start();
    clock.advance(4 * HEARTBEAT_MS);
    expect(received).toEqual([]);
  });

  it('say at once when the right to coordinate has changed', () => {
    heartbeats.start();
    clock.advance(1);
    mayCoordinate = true;
    heartbeats.beat();
    clock.advance(0);
    expect(received.map(({ byte }) => byte)).toEqual([0, 1]);
  });

  it('make no suspects of the others after a pause of this node itself (R11)', () => {
    heartbeats.beat();
    clock.advance(10 * SUSPECT_AFTER_MS);
    heartbeats.beat();
    expect(detector.seenAs(peer, clock.monotonicMs())).toBe('up');
    clock.advance(SUSPECT_AFTER_MS + 1);
    expect(detector.seenAs(peer, clock.monotonicMs())).toBe('suspect');
  });

  it('leave a silent peer a suspect as long as this node was running', () => {
    heartbeats.start();
    clock.advance(10 * SUSPECT_AFTER_MS);
    expect(detector.seenAs(peer, clock.monotonicMs())).toBe('suspect');
  });
});
