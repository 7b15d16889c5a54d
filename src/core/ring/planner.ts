import type { MemberNumber } from '../ids.ts';
import { invariant } from '../invariant.ts';
import { fairShares } from './fair-share.ts';
import { isPartitionCount } from './hash-place.ts';
import { FlowNetwork } from './min-cost-flow.ts';
import { orderOwners } from './owner-order.ts';
import type { OwnershipTable } from './ownership-table.ts';

export interface PlanMember {
  readonly number: MemberNumber;
  readonly zone: string;
  /** How much it should hold relative to others: an integer from 1. */
  readonly weight: number;
}

export interface PlanRequest {
  /** Those that may own; each number once. In any order: it does not matter. */
  readonly members: readonly PlanMember[];
  /** Q, a power of two. */
  readonly partitions: number;
  /** N, from 1. */
  readonly n: number;
  /** The table to move away from as little as possible; of Q partitions, otherwise arbitrary (other members, another N). */
  readonly before?: OwnershipTable;
}

/**
 * Who owns what: for each of the Q partitions its owners in order of preference.
 *
 * With k = min(N, members), in this order of importance:
 * 1. Every partition has k distinct owners, in min(k, zones) distinct zones. Fewer members than N: the lists are short.
 * 2. Every member holds its fair share ({@link fairShares}) rounded up or down, and so does every zone.
 * 3. No table that keeps 1 and 2 makes fewer copies: owners that a partition had not before.
 * 4. At every place in the order, the first above all, every member stands as often as its number of partitions
 *    divided by k, rounded up or down (for later places: by those left), with as few changes from before as that allows.
 *
 * 1 and 2 can always be met: were partitions divisible, giving each member share/Q of every partition would do it, and
 * in a flow between whole limits, what fractions can do integers can. 3 is the least cost of such a flow.
 * Deterministic. Source of the placement scheme: Dynamo 6.2, strategy 3.
 */
export function planOwnership(request: PlanRequest): OwnershipTable {
  check(request);
  const { partitions, n, before = [] } = request;
  const members = [...request.members].sort((a, b) => a.number - b.number);
  const copies = Math.min(n, members.length);
  if (copies === 0) return Array.from({ length: partitions }, () => []);
  return orderOwners(chooseOwners(members, partitions, copies, before), before);
}

function check({ members, partitions, n, before }: PlanRequest): void {
  invariant(isPartitionCount(partitions), `${partitions} partitions`);
  invariant(Number.isInteger(n) && n >= 1, `n is ${n}`);
  invariant(new Set(members.map((member) => member.number)).size === members.length, 'each member is named once');
  invariant(before === undefined || before.length === partitions, 'the table before has as many partitions');
}

/**
 * Laws 1 to 3. A unit of flow is one copy: partition -> (partition, zone) -> member -> zone -> all, where the limits are
 * k copies, the zone rule, each member once, and the rounded shares; a copy that was there before is free, others cost 1.
 */
function chooseOwners(
  members: readonly PlanMember[],
  partitions: number,
  copies: number,
  before: OwnershipTable,
): MemberNumber[][] {
  const zones = byZone(members);
  const weights = zones.map((zone) => zone.map((member) => member.weight));
  const shares = fairShares(weights, partitions, copies);
  const inZone = zones.length >= copies ? { lower: 0, upper: 1, cost: 0 } : { lower: 1, upper: copies, cost: 0 };

  const place = new Map(members.map((member, index) => [member.number, index]));
  const placeOf = (member: PlanMember): number => place.get(member.number) ?? 0;
  const zoneNode = (zone: number): number => members.length + zone;
  const all = members.length + zones.length;
  const partitionNode = (index: number): number => all + 1 + index * (zones.length + 1);
  const network = new FlowNetwork(partitionNode(partitions));

  network.supply(all, -partitions * copies);
  for (const [zone, inside] of zones.entries()) {
    const share = shares.zones[zone];
    invariant(share !== undefined, 'every zone has a share');
    network.edge(zoneNode(zone), all, { lower: share.floor, upper: share.ceil, cost: 0 });
    for (const [index, member] of inside.entries()) {
      const own = shares.members[zone]?.[index];
      invariant(own !== undefined, 'every member has a share');
      network.edge(placeOf(member), zoneNode(zone), { lower: own.floor, upper: own.ceil, cost: 0 });
    }
  }

  const candidates: { readonly partition: number; readonly member: MemberNumber; readonly edge: number }[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const node = partitionNode(partition);
    const held = before[partition] ?? [];
    network.supply(node, copies);
    for (const zone of scattered(zones, partition, (inside) => inside[0]?.number ?? 0)) {
      const partitionInZone = node + 1 + zones.indexOf(zone);
      network.edge(node, partitionInZone, inZone);
      for (const { number } of scattered(zone, partition, (member) => member.number)) {
        const limits = { lower: 0, upper: 1, cost: held.includes(number) ? 0 : 1 };
        const edge = network.edge(partitionInZone, place.get(number) ?? 0, limits);
        candidates.push({ partition, member: number, edge });
      }
    }
  }

  invariant(network.solve(), 'the rules of placement can always be met');
  const owners: MemberNumber[][] = Array.from({ length: partitions }, () => []);
  for (const { partition, member, edge } of candidates) if (network.flow(edge) === 1) owners[partition]?.push(member);
  return owners;
}

function byZone(members: readonly PlanMember[]): PlanMember[][] {
  const zones = new Map<string, PlanMember[]>();
  for (const member of members) {
    const zone = zones.get(member.zone);
    if (zone === undefined) zones.set(member.zone, [member]);
    else zone.push(member);
  }
  return [...zones.values()];
}

/**
 * The items in an order of the partition's own. Flows prefer what comes first; were that the same for all partitions, the
 * same members would share all their partitions and a dead one's load would fall on few instead of on all.
 */
function scattered<T>(items: readonly T[], partition: number, number: (item: T) => number): T[] {
  return items
    .map((item) => ({ item, rank: mix(Math.imul(partition + 1, 0x9e37_79b1) ^ mix(number(item))) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** The finalizer of MurmurHash3: a permutation of 32-bit integers in which every bit depends on every other. */
function mix(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
