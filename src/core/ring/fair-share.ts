import { invariant } from '../invariant.ts';

/** A zone's weights, one for each of its members; at least one, each a positive integer. */
export type ZoneWeights = readonly number[];

/** What fairness allows: the fraction `exact` (partitions held) and the whole numbers next to it. */
export interface Share {
  readonly exact: number;
  readonly floor: number;
  readonly ceil: number;
}

export interface FairShares {
  /** For each zone, in the order given. */
  readonly zones: readonly Share[];
  /** For each zone, for each of its members, in the order given. */
  readonly members: readonly (readonly Share[])[];
}

/**
 * How many of the Q partitions each member should hold when every partition has `copies` distinct owners
 * in as many distinct zones as there are, at most `copies`.
 *
 * Laws, with `perWeight(m) = share(m) / weight(m)`:
 * 1. The shares add up to Q x copies; a member's is at most Q.
 * 2. A zone's shares add up to at most Q when there are at least `copies` zones, and to at least Q otherwise:
 *    this is all that the zone rule asks of totals.
 * 3. Within laws 1 and 2 they are max-min fair by weight: whenever perWeight(a) < perWeight(b), nothing can go from b
 *    to a, because a holds every partition, or a zone stands at the limit of law 2 between them. No other shares are.
 *
 * So without zones in the way a share is Q x copies x weight / sum of weights. Law 3 is water-filling: one level per
 * unit of weight, found exactly in integers; zones and members that reach their limit leave it.
 */
export function fairShares(zones: readonly ZoneWeights[], partitions: number, copies: number): FairShares {
  for (const weights of zones) {
    invariant(weights.length > 0, 'a zone has a member');
    for (const weight of weights) invariant(Number.isSafeInteger(weight) && weight > 0, `weight ${weight}`);
  }
  const members = zones.reduce((sum, weights) => sum + weights.length, 0);
  invariant(copies >= 0 && copies <= members, `${copies} distinct owners among ${members} members`);
  return zones.length >= copies ? oneOfEachZone(zones, partitions, copies) : everyZone(zones, partitions, copies);
}

/** At least as many zones as copies: a zone holds a partition at most once. */
function oneOfEachZone(zones: readonly ZoneWeights[], partitions: number, copies: number): FairShares {
  const totals = zones.map(sum);
  // At level 1/x a zone of total weight t holds min(1, t/x) of every partition: full from t = x on.
  const x = lowest(totals, (at) => sum(totals.map((total) => Math.min(at, total))) <= copies * at);
  const isFull = (total: number): boolean => x !== undefined && total >= x;
  const full = totals.filter(isFull).length;
  const restWeight = sum(totals.filter((total) => !isFull(total)));
  const restCopies = copies - full;
  return {
    zones: totals.map((total) =>
      isFull(total) ? share(partitions, 1, 1) : share(partitions, restCopies * total, restWeight),
    ),
    members: zones.map((weights, zone) => {
      const total = totals[zone] ?? 0;
      return weights.map((weight) =>
        isFull(total) ? share(partitions, weight, total) : share(partitions, restCopies * weight, restWeight),
      );
    }),
  };
}

/** Fewer zones than copies: every zone holds every partition at least once, a member at most once. */
function everyZone(zones: readonly ZoneWeights[], partitions: number, copies: number): FairShares {
  const totals = zones.map(sum);
  const held = (weights: ZoneWeights, at: number): number => Math.max(at, sum(weights.map((w) => Math.min(at, w))));
  const x = lowest([...totals, ...zones.flat()], (at) => sum(zones.map((weights) => held(weights, at))) <= copies * at);
  invariant(x !== undefined, 'at the lowest level every zone holds each partition just once');
  // Just above level 1/x: which zones hold more than their one copy, and which members hold every partition.
  const isAtMinimum = (zone: number): boolean => (totals[zone] ?? 0) < x;
  const freeWeights = zones.flatMap((weights, zone) => (isAtMinimum(zone) ? [] : weights));
  const fixedCopies = zones.filter((_, zone) => isAtMinimum(zone)).length + freeWeights.filter((w) => w >= x).length;
  const restWeight = sum(freeWeights.filter((weight) => weight < x));
  const restCopies = copies - fixedCopies;
  const zoneShare = (weights: ZoneWeights, zone: number): Share => {
    if (isAtMinimum(zone)) return share(partitions, 1, 1);
    const whole = weights.filter((weight) => weight >= x).length;
    const rest = sum(weights.filter((weight) => weight < x));
    return rest === 0
      ? share(partitions, whole, 1)
      : share(partitions, whole * restWeight + restCopies * rest, restWeight);
  };
  const memberShare = (weight: number, zone: number): Share => {
    if (isAtMinimum(zone)) return share(partitions, weight, totals[zone] ?? 0);
    return weight >= x ? share(partitions, 1, 1) : share(partitions, restCopies * weight, restWeight);
  };
  return {
    zones: zones.map(zoneShare),
    members: zones.map((weights, zone) => weights.map((weight) => memberShare(weight, zone))),
  };
}

/** The least candidate x for which level 1/x is not yet too high. */
function lowest(candidates: readonly number[], fits: (x: number) => boolean): number | undefined {
  return candidates.filter(fits).reduce<number | undefined>((least, x) => Math.min(least ?? x, x), undefined);
}

/** partitions x numerator / denominator. A quotient of exact integers is never rounded onto or across a whole number. */
function share(partitions: number, numerator: number, denominator: number): Share {
  const product = partitions * numerator;
  invariant(Number.isSafeInteger(product) && denominator > 0, `share ${product}/${denominator}`);
  const exact = product / denominator;
  return { exact, floor: Math.floor(exact), ceil: Math.ceil(exact) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
