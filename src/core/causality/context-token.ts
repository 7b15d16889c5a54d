/**
 * The `Causal-Context` token: a context, sealed for one key of one cluster.
 *
 * `base64url( format, dot set, 16 bytes of MAC )`, at most 4,096 characters. The MAC is over format and dot set, under the
 * cluster's secret, bound to bucket and key: a token of another key, or a damaged one, must not erase anything (H4).
 * A context over the limit is narrowed: exceptions that are not siblings' go first, then whole actors and floors from the oldest grant up.
 * Covering less is always safe; it can only leave siblings.
 */
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { type Actor, actorGrant, type Dot } from './dot.ts';
import { type DotSet, dotSetOf, hasDot, readDotSet, union, writeDotSet } from './dot-set.ts';
import { isAll } from './runs.ts';

/** The MAC of a token's body for one key: {@link TOKEN_MAC_BYTES} bytes. */
export type TokenMac = (body: Uint8Array) => Uint8Array;

export const TOKEN_CHARACTERS_MAX = 4096;
export const TOKEN_MAC_BYTES = 16;

const FORMAT = 1;
/** Four characters carry three bytes. */
const BODY_BYTES_MAX = (TOKEN_CHARACTERS_MAX / 4) * 3 - TOKEN_MAC_BYTES;

const scratch = new ByteWriter();

/** `siblings`: the dots that the token must keep covering whatever the limit. */
export function sealContext(context: DotSet, siblings: readonly Dot[], mac: TokenMac): string {
  encodeBody(context);
  if (scratch.length > BODY_BYTES_MAX) encodeBody(narrow(context, siblings));
  return toText(scratch.raw(mac(scratch.view())).view());
}

/** The context of a token; undefined when it is not one of ours for this key. */
export function openContext(token: string, mac: TokenMac): DotSet | undefined {
  if (token.length > TOKEN_CHARACTERS_MAX || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const body = bytes.subarray(0, -TOKEN_MAC_BYTES);
  if (body.length < 2 || toText(bytes) !== token) return undefined;
  if (!equalInConstantTime(mac(body), bytes.subarray(-TOKEN_MAC_BYTES))) return undefined;
  try {
    return decodeBody(body);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function encodeBody(context: DotSet): void {
  writeDotSet(scratch.reset().u8(FORMAT), context);
}

function decodeBody(body: Uint8Array): DotSet {
  const source = new ByteReader(body);
  if (source.u8() !== FORMAT) throw new DecodeError('a token of another format');
  const context = readDotSet(source);
  source.end();
  return context;
}

function narrow(context: DotSet, siblings: readonly Dot[]): DotSet {
  const dots = siblings.filter((dot) => hasDot(context, dot)).toSorted(newestGrant);
  const bases = context.flatMap(({ actor, runs }) =>
    runs[0] === 1 || isAll(runs) ? [{ actor, runs: runs.slice(0, 2) }] : [],
  );
  const newest = bases.toSorted(newestGrant);
  const kept = longestThatFits(dots.length, (count) => dotSetOf(dots.slice(0, count)));
  return longestThatFits(newest.length, (count) =>
    union(
      kept,
      newest.slice(0, count).toSorted((a, b) => a.actor - b.actor),
    ),
  );
}

/** The set with the largest count that fits, found by halving: a context of thousands of actors must not stall the node. */
function longestThatFits(most: number, setOf: (count: number) => DotSet): DotSet {
  let fitting = setOf(0);
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const candidate = setOf(middle);
    encodeBody(candidate);
    if (scratch.length > BODY_BYTES_MAX) high = middle - 1;
    else [low, fitting] = [middle, candidate];
  }
  return fitting;
}

function newestGrant(a: { readonly actor: Actor }, b: { readonly actor: Actor }): number {
  return actorGrant(b.actor) - actorGrant(a.actor);
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
