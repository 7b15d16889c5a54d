import type { MemberNumber } from '../ids.ts';

/** Partition -> its owners, in order of preference. A partition short of members has fewer than N of them. */
export type OwnershipTable = readonly (readonly MemberNumber[])[];

/** How many copies must be made to get from one table to the other: owners that a partition has after and not before. */
export function copiesMoved(before: OwnershipTable, after: OwnershipTable): number {
  let moved = 0;
  for (const [index, owners] of after.entries()) {
    const held = before[index] ?? [];
    for (const owner of owners) if (!held.includes(owner)) moved++;
  }
  return moved;
}

/** How many partitions each member holds; members that hold none are absent. */
export function holdings(table: OwnershipTable): Map<MemberNumber, number> {
  const held = new Map<MemberNumber, number>();
  for (const owners of table) {
    for (const owner of owners) held.set(owner, (held.get(owner) ?? 0) + 1);
  }
  return held;
}

/** How many partitions each member is the first owner of; members that are nowhere first are absent. */
export function primaries(table: OwnershipTable): Map<MemberNumber, number> {
  return holdings(table.map((owners) => owners.slice(0, 1)));
}
