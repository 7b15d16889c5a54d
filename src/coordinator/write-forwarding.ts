/** How a write's outcome travels back from the owner that coordinated it to the node that was asked. */
import { pack, unpack } from 'msgpackr';
import { type ByteReader, type ByteWriter, DecodeError } from '../core/bytes.ts';
import { EMPTY_CONTAINER, readContainer, writeContainer } from '../core/causality/container.ts';
import { readDot, writeDot } from '../core/causality/dot.ts';
import { readDotSet, writeDotSet } from '../core/causality/dot-set.ts';
import { memberNumber, type NodeId } from '../core/ids.ts';
import { ERROR_CODES, type ErrorDetails, StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { WriteOutcome } from './write-operation.ts';

const APPLIED = 0;
const FAILED = 1;

/** Times travel in whole microseconds. */
export function writeForwardedOutcome(
  out: ByteWriter,
  view: ClusterView,
  outcome: WriteOutcome,
  withValue: boolean,
): void {
  out.u8(APPLIED).u8(outcome.durable === 'flush' ? 1 : 0);
  out.varint(outcome.owners).varint(outcome.fallbacks).varint(outcome.timings.length);
  for (const { node, ms } of outcome.timings) out.varint(view.member(node)?.number ?? 0).varint(Math.round(ms * 1000));
  writeDot(out, outcome.dot);
  writeDotSet(out, outcome.context);
  if (withValue) writeContainer(out, outcome.container);
}

/** The container is empty unless the value was asked for. */
export function readForwardedOutcome(source: ByteReader, view: ClusterView): WriteOutcome {
  const status = source.u8();
  if (status === FAILED) throw readError(source.rest());
  if (status !== APPLIED) throw new DecodeError(`a write outcome of kind ${status}`);
  const durable = source.u8() === 1 ? 'flush' : 'os';
  const owners = source.varint();
  const fallbacks = source.varint();
  const count = source.varint();
  if (count > source.remaining) throw new DecodeError('more timings than bytes');
  const timings = Array.from({ length: count }, () => ({
    node: nameOf(view, source.varint()),
    ms: source.varint() / 1000,
  }));
  const dot = readDot(source);
  const context = readDotSet(source);
  const container = source.remaining === 0 ? EMPTY_CONTAINER : readContainer(source);
  return { dot, context, container, durable, owners, fallbacks, timings };
}

export function writeForwardedError(out: ByteWriter, error: StoreError): void {
  const { code, message, details } = error;
  out.u8(FAILED).raw(pack({ code, message, details }));
}

function readError(bytes: Uint8Array): StoreError {
  const sent = unpackError(bytes);
  const code = ERROR_CODES.find((known) => known === sent?.code);
  if (code === undefined) throw new DecodeError('an unknown error code');
  return new StoreError(code, String(sent?.message), sent?.details ?? {});
}

function unpackError(bytes: Uint8Array): { code?: unknown; message?: unknown; details?: ErrorDetails } | null {
  try {
    return unpack(bytes);
  } catch (error) {
    throw new DecodeError(`not msgpack: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The other node's view may be another than ours. */
function nameOf(view: ClusterView, number: number): NodeId {
  const member = view.state.members.find((candidate) => candidate.number === memberNumber(number));
  if (member === undefined) throw new DecodeError(`member ${number} is unknown here`);
  return member.id;
}
