import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, DecodeError } from '../core/bytes.ts';
import { EMPTY_CONTAINER } from '../core/causality/container.ts';
import { actorOf } from '../core/causality/dot.ts';
import { dotSetOf } from '../core/causality/dot-set.ts';
import { createCommand, History } from '../core/cluster/cluster-builders.ts';
import { logIndex, memberNumber, nodeId } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import { readForwardedOutcome, writeForwardedError, writeForwardedOutcome } from './write-forwarding.ts';
import type { WriteOutcome } from './write-operation.ts';

const view = new ClusterView(new History(createCommand()).present);
const dot = { actor: actorOf(memberNumber(1), logIndex(5)), counter: 2 };
const outcome: WriteOutcome = {
  dot,
  context: dotSetOf([dot]),
  container: { siblings: [{ dot, version: Buffer.from('v') }], context: dotSetOf([dot]) },
  ...{ durable: 'flush', owners: 2, fallbacks: 0 },
  timings: [{ node: nodeId('n2'), ms: 1.25 }],
};
const written = (write: (out: ByteWriter) => void): ByteReader => {
  const out = new ByteWriter();
  write(out);
  return new ByteReader(out.copy());
};
const failureOf = (source: ByteReader): unknown => {
  try {
    return readForwardedOutcome(source, view);
  } catch (error) {
    return error;
  }
};

describe('the outcome of a forwarded write', () => {
  it('comes back as it was, with the value only when it was asked for', () => {
    const withValue = written((out) => writeForwardedOutcome(out, view, outcome, true));
    expect(readForwardedOutcome(withValue, view)).toEqual(outcome);
    const without = written((out) => writeForwardedOutcome(out, view, outcome, false));
    expect(readForwardedOutcome(without, view)).toEqual({ ...outcome, container: EMPTY_CONTAINER });
  });

  it('comes back as the error that the owner reported, with all its facts', () => {
    const details = { required: 2, acked: ['n1'], failed: [], pending: ['n2'], outcome: 'unknown', epoch: 1 } as const;
    const error = new StoreError('quorum-not-met', '1 of 2', details);
    const back = failureOf(written((out) => writeForwardedError(out, error)));
    expect(back).toBeInstanceOf(StoreError);
    expect(back).toMatchObject({ code: 'quorum-not-met', message: '1 of 2', details });
  });

  it('is a decode error when it is not understood, never a fault of this node', () => {
    const stranger = { ...outcome, timings: [{ node: nodeId('n9'), ms: 1 }] };
    for (const source of [
      written((out) => out.u8(7)),
      written((out) => out.u8(1)),
      written((out) => out.u8(1).u8(0xc0)),
      written((out) => out.u8(1).u8(0xdb)),
      written((out) => writeForwardedOutcome(out, view, stranger, false)),
    ]) {
      expect(failureOf(source)).toBeInstanceOf(DecodeError);
    }
  });
});
