import type { QuorumLevel } from '../../src/core/quorum/quorum-spec.ts';
import type { MetadataLogLimits } from '../../src/membership/metadata-log-limits.ts';
import type { ExchangeLimits } from '../../src/repair/exchange-limits.ts';
import { Dice, roll } from './chance.ts';
import type { NetworkWeather } from './simulated-network.ts';

/** Everything a run does, drawn from the seed beforehand: arrays, so that a failing run can be made smaller by leaving things out. */
export interface Plan {
  readonly seed: number;
  readonly shape: ClusterShape;
  readonly operations: readonly Operation[];
  readonly faults: readonly Fault[];
  /** When the faults end, in ms after the cluster was first ready. */
  readonly healMs: number;
}

export interface ClusterShape {
  readonly nodes: number;
  readonly zones: number;
  readonly n: number;
  readonly partitions: number;
  readonly durability: 'flush' | 'os';
  readonly keys: number;
  readonly siblings: number;
  /** Room for hints at each node; left out: more than a run can fill. */
  readonly hintBytes?: number;
  /** When the metadata log becomes a snapshot; left out: as in production, too late for a short run. */
  readonly metadataLog?: MetadataLogLimits;
  /** How large an answer of anti-entropy may be; left out: as in production, where one answer holds all keys of a short run. */
  readonly exchange?: ExchangeLimits;
  /** Owners find together by hints and read repair alone: for schedules made by hand, as exchanges mend what hints have lost. */
  readonly antiEntropy?: false;
  /** What is larger is answered by its dots alone, to who asks for no more; left out: as in production, more than any value here. */
  readonly digestBytes?: number;
  /** How often ended actors are looked for; left out: as in production, too seldom for a short run. */
  readonly retirementMs?: number;
  /** Per node: how fast its clock goes, and what it is off by. */
  readonly clocks: readonly { readonly rate: number; readonly offsetMs: number }[];
}

/** A client's request, at a time after the cluster was first ready. `node`, `key` and `client` are numbers from 0. */
export interface Operation {
  readonly id: number;
  readonly atMs: number;
  readonly client: number;
  readonly node: number;
  readonly key: number;
  readonly kind: 'get' | 'put' | 'delete' | 'configure' | 'inspect';
  readonly level: QuorumLevel;
  readonly owners: QuorumLevel;
  readonly timeoutMs: number;
  /** `seen`: of the client's last answer about the key; `stale`: of an earlier one; `foreign`: of another key; `forged`: made up. */
  readonly context: 'none' | 'seen' | 'stale' | 'foreign' | 'forged';
  /** A read of one sibling that the client has seen, or a write that is answered with what is there after it. */
  readonly variant?: 'sibling' | 'returnvalue';
  /** Only owners count. Left out: fallbacks may stand in for owners that are away. */
  readonly sloppy?: false;
}

export type Fault =
  | {
      readonly kind: 'crash';
      readonly atMs: number;
      readonly node: number;
      /** `sending`: when next it sends with something unflushed; `granted`: at once, and again when its next start is granted. */
      readonly moment: 'now' | 'sending' | 'granted';
      readonly power: boolean;
      readonly silent: boolean;
      readonly forMs: number;
    }
  | {
      /** All machines lose power, as soon as a client has been answered; their disks are slow before that. */
      readonly kind: 'outage';
      readonly atMs: number;
      readonly after: 'read' | 'written';
      readonly slowness: number;
      readonly power: boolean;
      readonly forMs: number;
    }
  | { readonly kind: 'pause'; readonly atMs: number; readonly node: number; readonly forMs: number }
  | {
      readonly kind: 'cut';
      readonly atMs: number;
      readonly links: readonly (readonly [from: number, to: number])[];
      readonly forMs: number;
      readonly flapMs: number;
    }
  | { readonly kind: 'weather'; readonly atMs: number; readonly weather: NetworkWeather; readonly forMs: number }
  | { readonly kind: 'reset'; readonly atMs: number; readonly from: number; readonly to: number }
  | {
      readonly kind: 'disk';
      readonly atMs: number;
      readonly node: number;
      readonly slowness: number;
      readonly isFull: boolean;
      readonly readErrors: number;
      readonly forMs: number;
    }
  | { readonly kind: 'clock'; readonly atMs: number; readonly node: number; readonly jumpMs: number }
  | { readonly kind: 'wipe'; readonly atMs: number; readonly node: number }
  /** The disk loses an object, or (`isAltered`) keeps another value in its place, and the process ends and is started again. */
  | { readonly kind: 'damage'; readonly atMs: number; readonly node: number; readonly isAltered: boolean }
  /** The disk changes a byte of an object where it lies; `place`, from 0 to below 1, chooses which. The process finds out when it looks. */
  | { readonly kind: 'rot'; readonly atMs: number; readonly node: number; readonly place: number }
  | { readonly kind: 'restore'; readonly atMs: number; readonly node: number; readonly liveMs: number };

type Draw = (dice: Dice, shape: ClusterShape, atMs: number) => Fault;

/** Swarm testing (Groce et al. 2012): each run draws which faults exist for it, how many, and how the clients behave. */
export function drawPlan(seed: number): Plan {
  const dice = new Dice(seed);
  const shape = {
    ...drawShape(dice),
    ...drawMetadataLog(seed),
    ...drawExchange(seed),
    ...drawHintBytes(seed),
    ...(roll(seed, 9) < 0.5 ? {} : { digestBytes: 0 }),
    ...drawRetirement(seed),
  };
  const healMs = dice.whole(4000, 14_000);
  return {
    seed,
    shape,
    healMs,
    operations: drawOperations(seed, dice, shape, healMs),
    faults: [...drawFaults(dice, shape, healMs), ...drawRot(seed, shape, healMs)].sort((a, b) => a.atMs - b.atMs),
  };
}

function drawShape(dice: Dice): ClusterShape {
  const nodes = dice.chance(0.6) ? 3 : dice.whole(3, 9);
  const n = dice.chance(0.7) ? 3 : dice.whole(1, Math.min(5, nodes));
  const drift = dice.chance(0.3) ? 0.05 : 0.001;
  const offset = dice.chance(0.3) ? 60_000 : 200;
  return {
    nodes,
    n,
    zones: dice.whole(1, 4),
    partitions: dice.pick([1, 2, 4, 8]),
    durability: dice.chance(0.15) ? 'os' : 'flush',
    // Many keys keep the traces of a loss, which the next write of a key would wipe off; few ones make writers meet.
    keys: dice.pick([1, 2, 3, 5, 10, 30, 100]),
    siblings: dice.pick([2, 4, 32]),
    clocks: Array.from({ length: nodes }, () => ({
      rate: 1 + drift * (2 * dice.next() - 1),
      offsetMs: Math.round(offset * (2 * dice.next() - 1)),
    })),
  };
}

/** Not of the dice that all else is drawn with: a seed remembers what it drew. */
function drawMetadataLog(seed: number): Pick<ClusterShape, 'metadataLog'> {
  const after = roll(seed, 1);
  return after < 0.5
    ? {}
    : { metadataLog: { compactAfter: 1 + Math.floor(12 * roll(seed, 2)), kept: Math.floor(4 * roll(seed, 3)) } };
}

function drawExchange(seed: number): Pick<ClusterShape, 'exchange'> {
  if (roll(seed, 5) < 0.3) return {};
  const upTo = (most: number, name: number) => 1 + Math.floor(most * roll(seed, name));
  return { exchange: { keys: upTo(8, 6), bytes: upTo(2000, 7), dots: upTo(40, 8) } };
}

function drawHintBytes(seed: number): Pick<ClusterShape, 'hintBytes'> {
  return roll(seed, 10) < 0.7 ? {} : { hintBytes: 1000 + Math.floor(8000 * roll(seed, 11)) };
}

/** In some runs too seldom to matter. */
function drawRetirement(seed: number): Pick<ClusterShape, 'retirementMs'> {
  return roll(seed, 14) < 0.2 ? {} : { retirementMs: Math.round(100 + 3000 * roll(seed, 15) ** 2) };
}

function drawVariant(seed: number, id: number, kind: Operation['kind']): Pick<Operation, 'variant'> {
  if (roll(seed, 4, id) > 0.1) return {};
  if (kind === 'get') return { variant: 'sibling' };
  return kind === 'put' || kind === 'delete' ? { variant: 'returnvalue' } : {};
}

/** In some runs everybody asks for owners only, in the others some do. */
function drawSloppy(seed: number, id: number): Pick<Operation, 'sloppy'> {
  const strict = roll(seed, 12) < 0.2 ? 1 : 0.3;
  return roll(seed, 13, id) < strict ? { sloppy: false } : {};
}

function drawOperations(seed: number, dice: Dice, shape: ClusterShape, healMs: number): Operation[] {
  const clients = dice.whole(1, 8);
  const count = dice.whole(350, 850);
  const reads = 0.2 + 0.5 * dice.next();
  const deletes = 0.3 * dice.next();
  const contexts = dice.next();
  const odd = dice.chance(0.3) ? 0.05 : 0;
  const metadata = dice.chance(0.5) ? 0.03 : 0;
  const strict = dice.chance(0.6);
  const short = dice.chance(0.3) ? 0.2 : 0.02;
  const times = Array.from({ length: count }, () => dice.next() * healMs).sort((a, b) => a - b);
  return times.map((atMs, id) => {
    const kind = dice.chance(metadata) ? dice.pick(['configure', 'inspect'] as const) : dataKind(dice, reads, deletes);
    return {
      id,
      atMs,
      client: dice.whole(0, clients - 1),
      node: dice.whole(0, shape.nodes - 1),
      key: Math.floor(shape.keys * dice.next() ** 1.5),
      kind,
      level: strict ? 'quorum' : dice.pick<QuorumLevel>(['one', 'quorum', 'all', dice.whole(1, shape.n)]),
      owners: dice.chance(0.2) ? 1 : 0,
      timeoutMs: dice.chance(short) ? dice.whole(1, 20) : dice.whole(300, 3000),
      context: dice.chance(odd) ? dice.pick(['foreign', 'forged'] as const) : drawContext(dice, contexts),
      ...drawVariant(seed, id, kind),
      ...drawSloppy(seed, id),
    };
  });
}

function dataKind(dice: Dice, reads: number, deletes: number): 'get' | 'put' | 'delete' {
  if (dice.chance(reads)) return 'get';
  return dice.chance(deletes) ? 'delete' : 'put';
}

function drawContext(dice: Dice, contexts: number): Operation['context'] {
  if (!dice.chance(contexts)) return 'none';
  return dice.chance(0.25) ? 'stale' : 'seen';
}

function drawFaults(dice: Dice, shape: ClusterShape, healMs: number): Fault[] {
  if (dice.chance(0.03)) return [];
  const kinds = Object.values(DRAWS).filter(() => dice.chance(0.45));
  const drawn: readonly Draw[] = kinds.length === 0 ? [DRAWS.crash] : kinds;
  const count = dice.whole(2, 9);
  return Array.from({ length: count }, () => dice.pick(drawn)(dice, shape, dice.next() * healMs * 0.9));
}

/** Of a chance of its own: other faults are what they were. */
function drawRot(seed: number, { nodes }: ClusterShape, healMs: number): Fault[] {
  if (roll(seed, 20) > 0.2) return [];
  return Array.from({ length: 1 + Math.floor(5 * roll(seed, 21)) }, (_, i) => ({
    kind: 'rot',
    atMs: roll(seed, 22, i) * healMs * 0.9,
    node: Math.floor(nodes * roll(seed, 23, i)),
    place: roll(seed, 24, i),
  }));
}

const aNode = (dice: Dice, shape: ClusterShape): number => dice.whole(0, shape.nodes - 1);
const aWhile = (dice: Dice): number => Math.round(dice.skewed(50, 6000));

const DRAWS = {
  crash: (dice, shape, atMs) => ({
    kind: 'crash',
    atMs,
    node: aNode(dice, shape),
    moment: dice.pick(['now', 'now', 'sending', 'granted'] as const),
    // Without a flush before the answer a power cut may lose what was acknowledged: that is what the setting says.
    power: shape.durability === 'flush' && dice.chance(0.7),
    silent: dice.chance(0.3),
    forMs: aWhile(dice),
  }),
  outage: (dice, shape, atMs) => ({
    kind: 'outage',
    atMs,
    after: dice.pick(['read', 'written'] as const),
    slowness: dice.skewed(1, 300),
    power: shape.durability === 'flush',
    forMs: Math.round(dice.skewed(20, 2000)),
  }),
  pause: (dice, shape, atMs) => ({ kind: 'pause', atMs, node: aNode(dice, shape), forMs: aWhile(dice) }),
  cut: (dice, shape, atMs) => ({
    kind: 'cut',
    atMs,
    links: drawCut(dice, shape.nodes),
    forMs: aWhile(dice),
    flapMs: dice.chance(0.2) ? dice.whole(20, 600) : 0,
  }),
  weather: (dice, _shape, atMs) => ({
    kind: 'weather',
    atMs,
    forMs: aWhile(dice),
    weather: {
      latencyMs: dice.skewed(0.2, 40),
      jitterMs: dice.skewed(0.5, 200),
      loss: dice.chance(0.5) ? dice.skewed(0, 0.3) : 0,
      duplication: dice.chance(0.4) ? dice.skewed(0, 0.3) : 0,
      veryLate: dice.chance(0.3) ? dice.skewed(0, 0.1) : 0,
      corruption: dice.chance(0.3) ? dice.skewed(0, 0.05) : 0,
    },
  }),
  reset: (dice, shape, atMs) => ({ kind: 'reset', atMs, from: aNode(dice, shape), to: aNode(dice, shape) }),
  disk: (dice, shape, atMs) => ({
    kind: 'disk',
    atMs,
    node: aNode(dice, shape),
    slowness: dice.skewed(1, 400),
    isFull: dice.chance(0.15),
    readErrors: dice.chance(0.4) ? dice.skewed(0.01, 0.5) : 0,
    forMs: aWhile(dice),
  }),
  clock: (dice, shape, atMs) => ({
    kind: 'clock',
    atMs,
    node: aNode(dice, shape),
    jumpMs: Math.round((dice.next() - 0.5) * 7_200_000),
  }),
  wipe: (dice, shape, atMs) => ({ kind: 'wipe', atMs, node: aNode(dice, shape) }),
  restore: (dice, shape, atMs) => ({ kind: 'restore', atMs, node: aNode(dice, shape), liveMs: aWhile(dice) }),
} satisfies Record<Exclude<Fault['kind'], 'damage' | 'rot'>, Draw>;

/** Halves, one node alone, a bridge between two groups, or one way only. */
function drawCut(dice: Dice, nodes: number): [number, number][] {
  const side = Array.from({ length: nodes }, () => dice.chance(0.5));
  const lonely = dice.whole(0, nodes - 1);
  const bridge = dice.chance(0.25) ? dice.whole(0, nodes - 1) : -1;
  const oneWay = dice.chance(0.35);
  const alone = dice.chance(0.4);
  const isLeft = (node: number): boolean => (alone ? node === lonely : (side[node] ?? false));
  const links: [number, number][] = [];
  for (let from = 0; from < nodes; from++) {
    for (let to = 0; to < nodes; to++) {
      if (from === to || from === bridge || to === bridge) continue;
      if (isLeft(from) && !isLeft(to)) links.push([from, to]);
      if (!oneWay && !isLeft(from) && isLeft(to)) links.push([from, to]);
    }
  }
  return links;
}
