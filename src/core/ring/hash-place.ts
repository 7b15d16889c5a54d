import type { ObjectKey, Partition } from '../ids.ts';
import { partition } from '../ids.ts';
import { invariant } from '../invariant.ts';

/** The most slices a hash space can have. */
export const PARTITIONS_MAX = 65_536;

/** A power of two from 1 to {@link PARTITIONS_MAX}. */
export function isPartitionCount(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= PARTITIONS_MAX && (count & (count - 1)) === 0;
}

/**
 * Which partition holds an object: the top log2(Q) bits of the 64-bit hash of the key's UTF-8 bytes.
 *
 * `partitions` is Q. `hash64` must answer 0..2^64-1 and never change: it decides where stored data is looked for.
 * Top bits, so that Q partitions are Q equal, contiguous slices of the ring (Dynamo 6.2, strategy 3).
 */
export function partitioner(partitions: number, hash64: (text: string) => bigint): (key: ObjectKey) => Partition {
  invariant(isPartitionCount(partitions), `${partitions} partitions: not a power of two from 1 to ${PARTITIONS_MAX}`);
  const shift = BigInt(64 - Math.log2(partitions));
  return (key) => partition(Number(hash64(key) >> shift));
}
