import type { ByteReader, ByteWriter } from '../bytes.ts';
import { DecodeError } from '../bytes.ts';
import type { LogIndex, MemberNumber } from '../ids.ts';
import { invariant } from '../invariant.ts';

/**
 * One replica's right to write: a member and the grant it writes under, in one number: `member * 2^32 + grant`.
 *
 * The grant is the log index of the committed command that gave the right, so no two lives of a member share an actor, and
 * of two actors of one member the larger is the newer. Limits: member 1..2^20-1, grant 1..2^32-1.
 */
export type Actor = number & { readonly __actor: unique symbol };

/** The name of one write event. Counters start at 1 per actor and partition. It names only itself, not what came before it. */
export interface Dot {
  readonly actor: Actor;
  readonly counter: number;
}

const GRANTS = 2 ** 32;
const MEMBERS = 2 ** 20;

export function actorOf(member: MemberNumber, grant: LogIndex): Actor {
  invariant(
    member > 0 && member < MEMBERS && grant > 0 && grant < GRANTS,
    `an actor of member ${member}, grant ${grant}`,
  );
  return (member * GRANTS + grant) as Actor;
}

export const actorMember = (actor: Actor): MemberNumber => Math.floor(actor / GRANTS) as MemberNumber;
export const actorGrant = (actor: Actor): LogIndex => (actor % GRANTS) as LogIndex;

/** Whether one member wrote as both. */
export const sameMember = (a: Actor, b: Actor): boolean => Math.floor(a / GRANTS) === Math.floor(b / GRANTS);

/** The total order of dots: by actor, then by counter. Siblings and sets are kept in it, so that encodings are canonical. */
export function compareDots(a: Dot, b: Dot): number {
  return a.actor - b.actor || a.counter - b.counter;
}

export function sameDot(a: Dot, b: Dot): boolean {
  return a.actor === b.actor && a.counter === b.counter;
}

/** As clients see it in a 300 answer and in `dot=`: `member.grant.counter`. */
export function formatDot(dot: Dot): string {
  return `${actorMember(dot.actor)}.${actorGrant(dot.actor)}.${dot.counter}`;
}

const DOT_TEXT = /^([1-9]\d{0,6})\.([1-9]\d{0,9})\.([1-9]\d{0,15})$/;

/** The dot of a text made by {@link formatDot}; undefined for any other text. */
export function parseDot(text: string): Dot | undefined {
  const parts = DOT_TEXT.exec(text);
  if (parts === null) return undefined;
  const [member, grant, counter] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  if (member >= MEMBERS || grant >= GRANTS || counter > Number.MAX_SAFE_INTEGER) return undefined;
  return { actor: (member * GRANTS + grant) as Actor, counter };
}

export function writeActor(out: ByteWriter, actor: Actor): void {
  out.varint(Math.floor(actor / GRANTS)).varint(actor % GRANTS);
}

export function readActor(source: ByteReader): Actor {
  const member = source.varint();
  const grant = source.varint();
  if (member === 0 || member >= MEMBERS || grant === 0 || grant >= GRANTS)
    throw new DecodeError('an actor out of range');
  return (member * GRANTS + grant) as Actor;
}

export function writeDot(out: ByteWriter, dot: Dot): void {
  writeActor(out, dot.actor);
  out.varint(dot.counter);
}

export function readDot(source: ByteReader): Dot {
  const actor = readActor(source);
  const counter = source.varint();
  if (counter === 0) throw new DecodeError('a dot counts from 1');
  return { actor, counter };
}
