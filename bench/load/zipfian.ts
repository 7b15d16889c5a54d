/**
 * Draws ranks 0, 1, 2, ... with P(rank) proportional to 1 / (rank + 1)^theta, each in constant time.
 *
 * Law (Gray et al., "Quickly generating billion-record synthetic databases", SIGMOD 1994, section 3.2), with u uniform in [0, 1):
 *   zeta(n) = sum of 1 / i^theta for i in 1..n,  alpha = 1 / (1 - theta),  eta = (1 - (2/n)^(1 - theta)) / (1 - zeta(2) / zeta(n))
 *   u zeta(n) < 1: rank 0;  < 1 + 0.5^theta: rank 1;  else floor(n (eta u - eta + 1)^alpha)
 * Ranks 0 and 1 are exact; the others follow the continuous curve.
 */
export class Zipfian {
  private readonly random: () => number;
  private items: number;
  private zeta: number;

  /** `zeta` of `items`, where it is known: to add up ten billion terms takes minutes. */
  constructor(items: number, random: () => number, zeta = zetaOf(0, items, 0)) {
    this.items = items;
    this.random = random;
    this.zeta = zeta;
  }

  next(): number {
    const u = this.random();
    const uz = u * this.zeta;
    if (uz < 1) return 0;
    if (uz < ZETA_2) return 1;
    const eta = (1 - (2 / this.items) ** (1 - ZIPFIAN_THETA)) / (1 - ZETA_2 / this.zeta);
    return Math.min(this.items - 1, Math.floor(this.items * (eta * u - eta + 1) ** ALPHA));
  }

  /** More ranks than before. Costs the new terms alone. */
  grow(items: number): void {
    if (items <= this.items) return;
    this.zeta = zetaOf(this.items, items, this.zeta);
    this.items = items;
  }
}

/** The skew of YCSB's workloads. */
export const ZIPFIAN_THETA = 0.99;

const ALPHA = 1 / (1 - ZIPFIAN_THETA);
const ZETA_2 = 1 + 0.5 ** ZIPFIAN_THETA;

/** zeta(to), given zeta(from). */
function zetaOf(from: number, to: number, zeta: number): number {
  let sum = zeta;
  for (let i = from + 1; i <= to; i++) sum += 1 / i ** ZIPFIAN_THETA;
  return sum;
}
