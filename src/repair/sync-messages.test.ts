import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, DecodeError } from '../core/bytes.ts';
import { anyDotSet, damaged, dots } from '../core/causality/causality-builders.ts';
import { epoch, partition } from '../core/ids.ts';
import {
  type PartitionDigest,
  readCompareAnswer,
  readSyncAnswer,
  readSyncRequest,
  writeCompareAnswer,
  writeSyncAnswer,
  writeSyncRequest,
} from './sync-messages.ts';

const written = (write: (out: ByteWriter) => void): Uint8Array => {
  const out = new ByteWriter();
  write(out);
  return out.copy();
};

const anyPartitions = fc.uniqueArray(fc.nat(70_000), { maxLength: 20 }).map((all) => all.sort((a, b) => a - b));
const anyHash = fc.option(fc.nat(2 ** 32 - 1), { nil: undefined });
const anyDigests = anyPartitions.chain((partitions) =>
  fc.tuple(
    ...partitions.map((index) =>
      fc.record({
        partition: fc.constant(partition(index)),
        digest: fc.bigInt(0n, 2n ** 64n - 1n),
        content: anyHash,
      }),
    ),
  ),
);

describe('an exchange of digests', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.nat(), anyDigests, (version, digests: readonly PartitionDigest[]) => {
        const request = { epoch: epoch(version), digests };
        expect(readSyncRequest(new ByteReader(written((out) => writeSyncRequest(out, request))))).toEqual(request);
      }),
    );
  });

  it('is answered with each partition in at most one list', () => {
    fc.assert(
      fc.property(anyDotSet, anyPartitions, (clock, partitions) => {
        const [first, ...others] = partitions.map(partition);
        const answer = {
          differing: first === undefined ? [] : [{ partition: first, clock }],
          refused: others.slice(0, 3),
          mismatched: others.slice(3, 5),
          uncompared: others.slice(5),
        };
        expect(readSyncAnswer(new ByteReader(written((out) => writeSyncAnswer(out, answer))))).toEqual(answer);
      }),
    );
  });

  it('takes less than 1 KB for 64 partitions in sync, both ways together', () => {
    const digests = Array.from({ length: 64 }, (_, index) => {
      return { partition: partition(index), digest: 0xffff_ffff_ffff_ffffn, content: 0xffff_ffff };
    });
    const request = written((out) => writeSyncRequest(out, { epoch: epoch(1000), digests }));
    const answer = written((out) =>
      writeSyncAnswer(out, { differing: [], refused: [], mismatched: [], uncompared: [] }),
    );
    expect([request.length, answer.length]).toEqual([835, 4]);
  });

  it('is garbage when it is damaged, or still a message: never a crash', () => {
    const digests = [3, 4, 9].map((index) => ({ partition: partition(index), digest: 7n, content: index }));
    const message = written((out) => writeSyncRequest(out, { epoch: epoch(1), digests }));
    fc.assert(
      fc.property(damaged(fc.constant(message)), (bytes) => {
        try {
          const { digests: read } = readSyncRequest(new ByteReader(bytes));
          for (const [i, one] of read.entries()) expect(one.partition).toBeGreaterThan(read[i - 1]?.partition ?? -1);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});

describe('a piece of a full comparison', () => {
  it('tells whether it is the last one, and the hash of the contents where that is known', () => {
    fc.assert(
      fc.property(anyHash, fc.boolean(), (content, isLast) => {
        const answer = { life: 5, clock: dots('1.1.3'), content, keys: [], isLast };
        expect(readCompareAnswer(new ByteReader(written((out) => writeCompareAnswer(out, answer))))).toEqual(answer);
      }),
    );
  });

  it('with an unknown flag is garbage', () => {
    const bytes = written((out) => out.u32(5).u8(4).varint(0).varint(0));
    expect(() => readCompareAnswer(new ByteReader(bytes))).toThrow(DecodeError);
  });
});
