import type { ClusterConfig } from './config/cluster-config.ts';
import type { CoordinatorContext } from './coordinator/coordinator-context.ts';
import { LocalApi } from './coordinator/local-api.ts';
import { ReadRepairs } from './coordinator/read-repairs.ts';
import { writeHandler } from './coordinator/write-handler.ts';
import { ByteReader, ByteWriter } from './core/bytes.ts';
import type { TokenMac } from './core/causality/context-token.ts';
import { type DotSet, writeDotSet } from './core/causality/dot-set.ts';
import type { ClusterState } from './core/cluster/cluster-state.ts';
import type { NodeId, ObjectKey, Partition } from './core/ids.ts';
import { HedgeDelay } from './core/quorum/hedge-delay.ts';
import { partitioner } from './core/ring/hash-place.ts';
import { FatalError } from './errors.ts';
import { Membership } from './membership/membership.ts';
import type { MetadataLogLimits } from './membership/metadata-log-limits.ts';
import type { Clock, Logger, Random, Store, Transport } from './ports.ts';
import { METHOD } from './protocol.ts';
import { AntiEntropy } from './repair/anti-entropy.ts';
import { ContentChecks } from './repair/content-checks.ts';
import { Divergences } from './repair/divergences.ts';
import { EXCHANGE_LIMITS, type ExchangeLimits } from './repair/exchange-limits.ts';
import { HintDelivery } from './repair/hint-delivery.ts';
import { retirementHandler } from './repair/retirement-handler.ts';
import { Retirements } from './repair/retirements.ts';
import { type SyncHandlerNeeds, syncHandlers } from './repair/sync-handlers.ts';
import { siblingHash } from './replica/content-hashes.ts';
import { durabilityOn } from './replica/durability-of.ts';
import { EndedActors } from './replica/ended-actors.ts';
import { Fallback } from './replica/fallback.ts';
import { hintHandler, readHintHandler } from './replica/hint-handlers.ts';
import { HintStore } from './replica/hint-store.ts';
import { examineOlderFolder } from './replica/older-folder.ts';
import { readHandler } from './replica/read-handler.ts';
import { Replica } from './replica/replica.ts';
import { replicateHandler } from './replica/replicate-handler.ts';
import { Calls } from './rpc/calls.ts';

/** Everything by which a node touches the world. */
export interface NodePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  /** Open; the node closes it when it stops. */
  readonly store: Store;
  readonly logger: Logger;
  readonly hash64: (text: string) => bigint;
  readonly checksum32: (bytes: Uint8Array) => number;
  readonly tokenMacs: (clusterId: string, secret: Uint8Array) => (key: ObjectKey) => TokenMac;
  /** The node cannot go on: the process must end. */
  readonly onFatal: (error: Error) => void;
  readonly metadataLog?: MetadataLogLimits;
  /** Left out: {@link EXCHANGE_LIMITS}. */
  readonly exchange?: ExchangeLimits;
  /** Left out: as {@link readHandler} has it. */
  readonly digestBytes?: number | undefined;
  /** How often ended actors are looked for. Left out: as {@link Retirements} has it. */
  readonly retirementMs?: number | undefined;
  /** False: owners find together by hints and read repair alone, as whoever tests those needs it. */
  readonly antiEntropy?: boolean | undefined;
}

export interface Node {
  readonly api: LocalApi;
  readonly membership: Membership;
  readonly calls: Calls;
  readonly antiEntropy: AntiEntropy;
  readonly contents: ContentChecks;
  readonly replica: Replica;
  readonly readRepairs: ReadRepairs;
  readonly hedge: HedgeDelay;
  readonly hints: HintStore;
  readonly delivery: HintDelivery;
  readonly retirements: Retirements;
  readonly endedActors: EndedActors;
  /** Resolves when this node may coordinate writes, or was stopped before. Errors: FatalError. */
  start(): Promise<void>;
  /** New requests are refused and other nodes told; what is under way goes on. */
  drain(): void;
  /** Resolves when nothing is being done for other nodes any more, or `withinMs` later. To be called after {@link Node.drain}. */
  settle(withinMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** For so long nothing must have been asked of a draining node before it is left alone for good. */
const HEARD_OF_MS = 100;
const SETTLE_CHECK_MS = 10;

/** One node, from its ports: the same in production and in the simulator. */
export function createNode(config: ClusterConfig, self: NodeId, ports: NodePorts): Node {
  const { clock, random, transport, store, logger, onFatal } = ports;
  const { metadataLog, digestBytes, antiEntropy: exchanges = true } = ports;
  let isStopped = false;
  const membership = new Membership({
    ...{ self, config, store, clock, random, logger, onFatal, metadataLog },
    examine: (state) => examineOlderFolder({ ...older, catchUp: membership.catchUp }, state),
  });
  const { standing, detector } = membership;
  const currentView = () => membership.view;
  const durability = durabilityOn(currentView);
  const replica = new Replica({
    ...{ self, store, currentView },
    limits: config.limits,
    hashOf: siblingHash(ports.checksum32),
    ownActor: () => standing.actor,
    forgot: (partition) => membership.forgot(partition),
  });
  const digest = clockDigest(ports.hash64);
  const divergences = new Divergences(clock);
  const contents = new ContentChecks({ self, replica, clock, logger, currentView });
  const limits = ports.exchange ?? EXCHANGE_LIMITS;
  const life = new ByteReader(random.bytes(4)).u32();
  const knows: SyncHandlerNeeds['knows'] = (...shown) => divergences.heard(...shown);
  const hints = new HintStore(store, clock, config.limits.hintBytes, logger);
  const older = { self, store, hints, clock, logger, isStopped: () => isStopped };
  const fallback = new Fallback({ store, hints, replica });
  const retired = () => membership.view?.state.retirements ?? NONE_RETIRED;
  const ended = new EndedActors(store, retired);
  const mayAgree = (partition: Partition): boolean =>
    !membership.catchUp.isOpen(partition) && replica.incomplete.isNone(partition);
  const retirement = { self, store, hints, ended, standing, currentView, mayAgree };
  const calls: Calls = new Calls({
    transport,
    clock,
    random,
    logger,
    requests: new Map([
      ...membership.requests,
      [METHOD.read, readHandler({ replica, store, clock, standing, durability, digestBytes })],
      [METHOD.replicate, replicateHandler({ replica, store, ended, standing, durability })],
      [METHOD.hint, hintHandler({ fallback, hints, store, ended, standing, durability })],
      [METHOD.readHint, readHintHandler({ fallback, hints, store, ended, standing, durability })],
      [METHOD.write, (body, request) => forwardedWrite(body, request)],
      [METHOD.retirement, retirementHandler(retirement)],
      ...syncHandlers({
        ...{ replica, store, digest, life, knows, limits, ...contentQuestions(contents) },
        retirements: () => retired().values(),
        isGranted: () => standing.actor !== undefined,
      }),
    ]),
    notices: membership.notices,
    onConnected: (peer) => {
      membership.connected(peer);
      if (exchanges) antiEntropy.connected(peer);
    },
    onDisconnected: (peer) => membership.disconnected(peer),
    pendingMax: config.limits.peerRequests,
  });
  const hedge = new HedgeDelay();
  const readRepairs = new ReadRepairs({ self, calls, clock, store, replica, ended, standing, durability });
  const context: CoordinatorContext = {
    ...{ self, calls, clock, store, replica, fallback, hints, standing, detector, currentView },
    partitionOf: partitioner(config.partitions, ports.hash64),
    tokenMac: tokenMacsOfView(ports),
    readRepairs,
    hedge,
  };
  const forwardedWrite = writeHandler(context);
  const retirements = new Retirements({
    ...{ ...retirement, calls, clock, random, logger, detector, lookMs: ports.retirementMs },
    isLeader: () => membership.raftMetrics?.isLeader ?? false,
    propose: (...agreed) => membership.retire(...agreed),
  });
  const antiEntropy = new AntiEntropy({
    ...{ self, replica, store, calls, clock, random, logger, detector, currentView, digest, divergences, retirements },
    catchUp: membership.catchUp,
    hints,
    standing,
    waitsFor: (view, partition) => membership.waitsFor(view, partition),
    ...{ contents, limits },
  });
  const api = new LocalApi(context, membership, config.limits.valueBytes, () => antiEntropy.view());
  const delivery = new HintDelivery({
    ...{ self, calls, clock, random, logger, store, hints, replica, ended, standing, detector, currentView },
  });
  return {
    api,
    membership,
    calls,
    antiEntropy,
    contents,
    replica,
    readRepairs,
    hedge,
    hints,
    delivery,
    retirements,
    endedActors: ended,
    async start() {
      if (!config.nodes.some(({ id }) => id === self)) throw new FatalError(`${self} is not in cluster.yaml`, 2);
      await membership.claimStore();
      if (isStopped) return;
      transport.setPeers(peersOf(config, self));
      await calls.start();
      if (exchanges) antiEntropy.start();
      delivery.start();
      retirements.start();
      await membership.join(calls);
    },
    drain() {
      api.drain();
      membership.drain();
    },
    async settle(withinMs) {
      const endMs = clock.monotonicMs() + withinMs;
      // The others have not all heard of the draining yet: they hand writes on until then.
      let idleMs = 0;
      while (idleMs < HEARD_OF_MS && clock.monotonicMs() < endMs) {
        await new Promise<void>((resolve) => clock.after(SETTLE_CHECK_MS, resolve));
        idleMs = calls.serving === 0 ? idleMs + SETTLE_CHECK_MS : 0;
      }
    },
    async stop() {
      isStopped = true;
      const exchangesEnded = antiEntropy.stop();
      membership.stop();
      readRepairs.stop();
      delivery.stop();
      retirements.stop();
      await calls.stop();
      await exchangesEnded;
      hints.close();
      await store.close();
    },
  };
}

const NONE_RETIRED: ClusterState['retirements'] = new Map();

function peersOf(config: ClusterConfig, self: NodeId): Parameters<Transport['setPeers']>[0] {
  const peers = config.nodes.filter(({ id }) => id !== self);
  return new Map(peers.map(({ id, host, rpc }) => [id, { host, port: rpc }]));
}

function contentQuestions(contents: ContentChecks): Pick<SyncHandlerNeeds, 'contentOf' | 'compared'> {
  return {
    contentOf: (partition) => contents.hashOf(partition),
    compared: (peer, partition, isSame) => contents.compared(peer, partition, isSame),
  };
}

/** Of a clock's canonical form: equal clocks have equal digests. */
function clockDigest(hash64: NodePorts['hash64']): (clock: DotSet) => bigint {
  const out = new ByteWriter();
  return (clock) => {
    writeDotSet(out.reset(), clock);
    return hash64(Buffer.from(out.view()).toString('latin1'));
  };
}

/** The secret is the cluster's for good: the keyed function is made once. */
function tokenMacsOfView({ tokenMacs }: NodePorts): CoordinatorContext['tokenMac'] {
  let macs: ((key: ObjectKey) => TokenMac) | undefined;
  return (view, key) => {
    macs ??= tokenMacs(view.state.clusterId, view.state.secret);
    return macs(key);
  };
}
