import type { MemberNumber, Partition } from '../ids.ts';
import type { OwnershipTable } from './ownership-table.ts';

/** Where fallbacks are looked for. */
export interface Ring {
  readonly table: OwnershipTable;
  /** Every member that may take hints, and its zone. */
  readonly zones: ReadonlyMap<MemberNumber, string>;
}

/** Whom to ask about a partition's keys; made once per partition and epoch. No member is named twice. */
export interface PreferenceList {
  /** In order of preference. */
  readonly owners: readonly MemberNumber[];
  /** Owners on the other side of an ownership change that is under way: they are written too and are never fallbacks. */
  readonly others: readonly MemberNumber[];
  /** All other members, the best first. */
  readonly fallbacks: readonly MemberNumber[];
}

/** What of a preference list can be asked now. */
export interface UsableList {
  readonly owners: readonly MemberNumber[];
  readonly others: readonly MemberNumber[];
  readonly standIns: readonly StandIn[];
  /** Absent owners, from both sides, that nobody is left to stand in for: the list is short by as many. */
  readonly uncovered: readonly MemberNumber[];
}

/** A fallback that takes what an absent owner should have had. */
export interface StandIn {
  readonly fallback: MemberNumber;
  readonly owner: MemberNumber;
}

/**
 * The preference list of a partition (Dynamo 4.6): its owners, then every other member as met walking the ring clockwise
 * through the owners of the partitions that follow; those that own nothing come last, by number.
 * Members of zones that the list does not cover yet go before the others.
 */
export function preferenceList(ring: Ring, partition: Partition, others: readonly MemberNumber[] = []): PreferenceList {
  const owners = ring.table[partition] ?? [];
  const onOtherSide = others.filter((member) => !owners.includes(member));
  const walked = walk(ring, partition, new Set([...owners, ...onOtherSide]));
  return { owners, others: onOtherSide, fallbacks: otherZonesFirst(walked, [...owners, ...onOtherSide], ring) };
}

/**
 * Passes over those believed down and gives each absent owner a fallback that is up, one for each, the earlier owner first;
 * fallbacks from zones that no usable owner covers go before the others.
 */
export function usableList(list: PreferenceList, ring: Ring, isUp: (member: MemberNumber) => boolean): UsableList {
  const owners = list.owners.filter(isUp);
  const others = list.others.filter(isUp);
  if (owners.length === list.owners.length && others.length === list.others.length) {
    return { owners: list.owners, others: list.others, standIns: [], uncovered: [] };
  }
  const absent = [...list.owners, ...list.others].filter((owner) => !isUp(owner));
  const fallbacks = otherZonesFirst(list.fallbacks.filter(isUp), [...owners, ...others], ring);
  const standIns: StandIn[] = [];
  const uncovered: MemberNumber[] = [];
  for (const [index, owner] of absent.entries()) {
    const fallback = fallbacks[index];
    if (fallback === undefined) uncovered.push(owner);
    else standIns.push({ fallback, owner });
  }
  return { owners, others, standIns, uncovered };
}

function walk(ring: Ring, partition: Partition, without: ReadonlySet<MemberNumber>): MemberNumber[] {
  const { table, zones } = ring;
  const found = new Set<MemberNumber>();
  const wanted = [...zones.keys()].filter((member) => !without.has(member)).sort((a, b) => a - b);
  for (let step = 1; step < table.length && found.size < wanted.length; step++) {
    for (const member of table[(partition + step) % table.length] ?? []) {
      if (zones.has(member) && !without.has(member)) found.add(member);
    }
  }
  for (const member of wanted) found.add(member);
  return [...found];
}

/** First one of each zone that is not covered, then the rest; each part in the order given. */
function otherZonesFirst(
  members: readonly MemberNumber[],
  covering: readonly MemberNumber[],
  ring: Ring,
): MemberNumber[] {
  const covered = new Set(covering.map((member) => ring.zones.get(member)));
  const first: MemberNumber[] = [];
  const rest: MemberNumber[] = [];
  for (const member of members) {
    const zone = ring.zones.get(member);
    (covered.has(zone) ? rest : first).push(member);
    covered.add(zone);
  }
  return [...first, ...rest];
}
