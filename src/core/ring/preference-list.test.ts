import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MemberNumber, memberNumber, partition } from '../ids.ts';
import { planOwnership } from './planner.ts';
import { type PreferenceList, preferenceList, type Ring, usableList } from './preference-list.ts';

const everyoneIsUp = (): boolean => true;

describe('preferenceList', () => {
  it('names the owners, then the others as met clockwise', () => {
    const ring = ringOf({
      table: [
        [1, 2],
        [3, 1],
        [5, 4],
        [4, 2],
      ],
      zones: 'aaaaa',
    });
    expect(preferenceList(ring, partition(0))).toEqual({ owners: [1, 2], others: [], fallbacks: [3, 5, 4] });
  });

  it('walks on from the last partition to the first', () => {
    const ring = ringOf({ table: [[4], [3], [2], [1]], zones: 'aaaa' });
    expect(preferenceList(ring, partition(2)).fallbacks).toEqual([1, 4, 3]);
  });

  it('puts zones that are not covered first, each once, then the rest in the order of the walk', () => {
    const ring = ringOf({ table: [[1], [2], [3], [4], [5]], zones: 'aaccb' });
    expect(preferenceList(ring, partition(0)).fallbacks).toEqual([3, 5, 2, 4]);
  });

  it('names members that own nothing last, by number', () => {
    const ring = ringOf({ table: [[2], [4]], zones: 'aaaa' });
    expect(preferenceList(ring, partition(0)).fallbacks).toEqual([4, 1, 3]);
  });

  it('never makes a fallback of an owner on the other side of a change', () => {
    const ring = ringOf({
      table: [
        [1, 2],
        [3, 4],
      ],
      zones: 'aaaa',
    });
    const list = preferenceList(ring, partition(0), numbers([2, 3]));
    expect(list).toEqual({ owners: [1, 2], others: [3], fallbacks: [4] });
  });

  it('is as short as the cluster is', () => {
    const ring = ringOf({ table: [[1, 2]], zones: 'ab' });
    expect(preferenceList(ring, partition(0))).toEqual({ owners: [1, 2], others: [], fallbacks: [] });
  });

  it('names every member exactly once, owners first, and covers zones as early as it can', () => {
    forAllRings((ring, list) => {
      const whole = [...list.owners, ...list.fallbacks];
      expect([...whole].sort((a, b) => a - b)).toEqual([...ring.zones.keys()].sort((a, b) => a - b));
      const covered = new Set(list.owners.map((owner) => ring.zones.get(owner)));
      const zones = new Set(ring.zones.values()).size;
      for (const fallback of list.fallbacks) {
        const zone = ring.zones.get(fallback);
        if (covered.size < zones) expect(covered.has(zone)).toBe(false);
        covered.add(zone);
      }
    });
  });
});

describe('usableList', () => {
  const ring = ringOf({
    table: [
      [1, 2, 3],
      [4, 5, 6],
      [7, 1, 2],
    ],
    zones: 'abcbacb',
  });
  const list = preferenceList(ring, partition(0));

  it('is the owners alone when they are up', () => {
    expect(usableList(list, ring, everyoneIsUp)).toEqual({
      owners: [1, 2, 3],
      others: [],
      standIns: [],
      uncovered: [],
    });
  });

  it('gives an absent owner a fallback, from the zone that it leaves uncovered', () => {
    const usable = usableList(list, ring, (member) => member !== 1);
    expect(usable).toEqual({ owners: [2, 3], others: [], standIns: [{ fallback: 5, owner: 1 }], uncovered: [] });
  });

  it('passes over fallbacks that are down too', () => {
    const usable = usableList(list, ring, (member) => member !== 1 && member !== 5);
    expect(usable.standIns).toEqual([{ fallback: 4, owner: 1 }]);
  });

  it('says which owners nobody is left to stand in for', () => {
    const usable = usableList(list, ring, (member) => member === 3 || member === 7);
    expect(usable).toEqual({ owners: [3], others: [], standIns: [{ fallback: 7, owner: 1 }], uncovered: [2] });
  });

  it('finds stand-ins for both sides of an ownership change', () => {
    const changing = preferenceList(ring, partition(0), numbers([1, 2, 4]));
    const usable = usableList(changing, ring, (member) => member !== 3 && member !== 4);
    expect(usable).toEqual({
      owners: [1, 2],
      others: [],
      standIns: [
        { fallback: 6, owner: 3 },
        { fallback: 5, owner: 4 },
      ],
      uncovered: [],
    });
  });

  it('uses nobody twice and nobody who is down, and accounts for every owner', () => {
    forAllRings((ringDrawn, drawn, down) => {
      const usable = usableList(drawn, ringDrawn, (member) => !down.has(member));
      const asked = [...usable.owners, ...usable.standIns.map(({ fallback }) => fallback)];
      expect(new Set(asked).size).toBe(asked.length);
      expect(asked.some((member) => down.has(member))).toBe(false);
      const accounted = [...usable.owners, ...usable.standIns.map(({ owner }) => owner), ...usable.uncovered];
      expect([...accounted].sort()).toEqual([...drawn.owners].sort());
      if (usable.uncovered.length > 0) {
        expect(drawn.fallbacks.filter((member) => !down.has(member)).length).toBe(usable.standIns.length);
      }
    });
  });
});

/** A table in plain numbers; member i lives in the i-th letter's zone. */
function ringOf({ table, zones }: { table: readonly (readonly number[])[]; zones: string }): Ring {
  return {
    table: table.map(numbers),
    zones: new Map([...zones].map((zone, index) => [memberNumber(index + 1), zone])),
  };
}

function numbers(plain: readonly number[]): MemberNumber[] {
  return plain.map(memberNumber);
}

function forAllRings(check: (ring: Ring, list: PreferenceList, down: ReadonlySet<MemberNumber>) => void): void {
  const drawn = fc.record({
    zones: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 12 }),
    n: fc.integer({ min: 1, max: 5 }),
    power: fc.nat(6),
    at: fc.nat(),
    down: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 8 }),
  });
  const property = fc.property(drawn, ({ zones, n, power, at, down }) => {
    const members = zones.map((zone, index) => ({ number: memberNumber(index + 1), zone, weight: 1 + (index % 3) }));
    const table = planOwnership({ members, partitions: 2 ** power, n });
    const ring = { table, zones: new Map(members.map(({ number, zone }) => [number, zone])) };
    check(ring, preferenceList(ring, partition(at % 2 ** power)), new Set(numbers(down)));
  });
  fc.assert(property, { numRuns: 200 });
}
