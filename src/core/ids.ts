/** Identifiers that are easily confused, each its own type. Only the functions here and decoders make them. */
declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A node's name, as in cluster.yaml: `[A-Za-z0-9._-]{1,64}`. */
export type NodeId = Branded<string, 'NodeId'>;
/** A member's number: given once by the metadata group, 1..2^20-1, never reused. */
export type MemberNumber = Branded<number, 'MemberNumber'>;
/** One of the Q equal slices of the hash space, 0..Q-1. */
export type Partition = Branded<number, 'Partition'>;
/** The version of the cluster state, from 0 (no cluster yet). */
export type Epoch = Branded<number, 'Epoch'>;
/** A Raft term, from 0. */
export type Term = Branded<number, 'Term'>;
/** A position in the Raft log, from 1; 0 is before the first entry. */
export type LogIndex = Branded<number, 'LogIndex'>;
/** A bucket and a key in one string: `bucket + '\0' + key`. Neither half can hold a NUL where it matters: buckets never do. */
export type ObjectKey = Branded<string, 'ObjectKey'>;

export const nodeId = (id: string): NodeId => id as NodeId;
export const memberNumber = (number: number): MemberNumber => number as MemberNumber;
export const partition = (index: number): Partition => index as Partition;
export const epoch = (version: number): Epoch => version as Epoch;
export const term = (number: number): Term => number as Term;
export const logIndex = (index: number): LogIndex => index as LogIndex;
export const objectKey = (bucket: string, key: string): ObjectKey => `${bucket}\0${key}` as ObjectKey;
/** For decoders: a string that was an object key when it was encoded. */
export const decodedObjectKey = (text: string): ObjectKey => text as ObjectKey;

/**
 * The order in which stores scan: that of the keys' UTF-8 bytes. It differs from that of JavaScript's strings, UTF-16, in one thing: what
 * takes two units there, surrogates, comes last. Keys are well-formed: they were UTF-8 once.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : Number(isSurrogate(x)) - Number(isSurrogate(y));
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

/** The bucket of an object key. */
export function bucketOf(object: ObjectKey): string {
  return object.slice(0, object.indexOf('\0'));
}

/** The key within its bucket. */
export function keyOf(object: ObjectKey): string {
  return object.slice(object.indexOf('\0') + 1);
}
