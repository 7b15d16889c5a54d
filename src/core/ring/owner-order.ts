import type { MemberNumber } from '../ids.ts';
import { invariant } from '../invariant.ts';
import { FlowNetwork } from './min-cost-flow.ts';
import { holdings, type OwnershipTable } from './ownership-table.ts';

/**
 * Puts each partition's owners in order of preference; every partition has equally many.
 *
 * Place by place from the first: with `left` owners of each partition not yet placed, a member that is among them in
 * c partitions is put at this place in c / left of them, rounded up or down. Always possible: taking 1/left of every one
 * would be exact, and what fractions can do within whole limits, integers can (an equitable edge colouring; de Werra 1971).
 * Among those the one that leaves most partitions with the owner that stood there before.
 *
 * The first place matters most: a write without context goes to the first live owner.
 */
export function orderOwners(owners: OwnershipTable, before: OwnershipTable): MemberNumber[][] {
  const copies = owners[0]?.length ?? 0;
  const ordered: MemberNumber[][] = owners.map(() => []);
  let left: OwnershipTable = owners;
  for (let rank = 0; rank < copies; rank++) {
    const chosen = chooseOne(left, rank, before);
    for (const [partition, member] of chosen.entries()) ordered[partition]?.push(member);
    left = left.map((members, partition) => members.filter((member) => member !== chosen[partition]));
  }
  return ordered;
}

/** One of each partition's members, evenly. */
function chooseOne(members: OwnershipTable, rank: number, before: OwnershipTable): MemberNumber[] {
  const held = [...holdings(members)];
  const place = new Map(held.map(([member], index) => [member, index]));
  const all = held.length;
  const network = new FlowNetwork(all + 1 + members.length);
  network.supply(all, -members.length);
  for (const [index, [, count]] of held.entries()) {
    const exact = count / (members[0]?.length ?? 1);
    network.edge(index, all, { lower: Math.floor(exact), upper: Math.ceil(exact), cost: 0 });
  }
  const edges = members.map((choices, partition) => {
    const node = all + 1 + partition;
    network.supply(node, 1);
    return choices.map((member) => {
      const cost = before[partition]?.[rank] === member ? 0 : 1;
      return network.edge(node, place.get(member) ?? 0, { lower: 0, upper: 1, cost });
    });
  });
  invariant(network.solve(), 'places can always be given out evenly');
  return members.map((choices, partition) => {
    const chosen = choices.find((_, index) => network.flow(edges[partition]?.[index] ?? 0) === 1);
    invariant(chosen !== undefined, 'every partition has an owner at this place');
    return chosen;
  });
}
