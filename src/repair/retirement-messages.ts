/**
 * The question by which a leader finds out whether ended actors can be retired, asked of every member three times (rule C9):
 *
 *     ask      a member and a grant -> what is held of the actors that are ended by it, in flushed clocks and in hints
 *     promise  the same and the entries that all owners told -> the same, once what the answering node promises is durable
 *     ask      once all have promised: the entries are still all that there is
 */
import { type ByteReader, type ByteWriter, DecodeError } from '../core/bytes.ts';
import {
  type EndedWrites,
  type PartitionDots,
  readPartitionDots,
  writePartitionDots,
} from '../core/causality/retirement.ts';
import { type Epoch, epoch, type LogIndex, logIndex, type MemberNumber, memberNumber } from '../core/ids.ts';

export interface RetirementRequest {
  readonly member: MemberNumber;
  /** The actors with this grant or a lower one. */
  readonly floor: LogIndex;
  /** Undefined: nothing is to be promised yet. */
  readonly entries: PartitionDots | undefined;
}

const ASK = 0;
const PROMISE = 1;

export function writeRetirementRequest(out: ByteWriter, { member, floor, entries }: RetirementRequest): void {
  out
    .u8(entries === undefined ? ASK : PROMISE)
    .varint(member)
    .varint(floor);
  if (entries !== undefined) writePartitionDots(out, entries);
}

export function readRetirementRequest(source: ByteReader): RetirementRequest {
  const kind = source.u8();
  if (kind > PROMISE) throw new DecodeError(`a question of kind ${kind}`);
  const member = memberNumber(source.varint());
  const floor = logIndex(source.varint());
  const request = { member, floor, entries: kind === ASK ? undefined : readPartitionDots(source) };
  source.end();
  return request;
}

export type RetirementAnswer =
  | { readonly kind: 'refused'; readonly reason: string }
  | (EndedWrites & {
      readonly kind: 'told';
      /** Of the answering node's view: the owners are those of this epoch. */
      readonly epoch: Epoch;
      /** Of the answering process. */
      readonly grant: LogIndex;
    });

const REFUSED = 0;
const TOLD = 1;

export function writeRetirementAnswer(out: ByteWriter, answer: RetirementAnswer): void {
  if (answer.kind === 'refused') {
    out.u8(REFUSED).string(answer.reason);
    return;
  }
  out.u8(TOLD).varint(answer.epoch).varint(answer.grant);
  writePartitionDots(out, answer.owned);
  writePartitionDots(out, answer.kept);
}

export function readRetirementAnswer(source: ByteReader): RetirementAnswer {
  const kind = source.u8();
  if (kind > TOLD) throw new DecodeError(`an answer of kind ${kind}`);
  const answer: RetirementAnswer = kind === REFUSED ? { kind: 'refused', reason: source.string() } : readTold(source);
  source.end();
  return answer;
}

function readTold(source: ByteReader): RetirementAnswer {
  const at = epoch(source.varint());
  const grant = logIndex(source.varint());
  return { kind: 'told', epoch: at, grant, owned: readPartitionDots(source), kept: readPartitionDots(source) };
}
