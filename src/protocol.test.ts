import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, DecodeError } from './core/bytes.ts';
import { type Container, dotsOf, encodeContainer, lacking } from './core/causality/container.ts';
import { actorOf, compareDots, type Dot, sameDot } from './core/causality/dot.ts';
import { dotSetOf, union } from './core/causality/dot-set.ts';
import { UNKNOWN_VERSION } from './core/causality/merged-answers.ts';
import { epoch, logIndex, memberNumber, objectKey, partition } from './core/ids.ts';
import {
  type ForwardedWrite,
  type HintRequest,
  type KeyAddress,
  type ReplicateRequest,
  readForwardedWrite,
  readHintAnswer,
  readHintRequest,
  readReadAnswer,
  readReadRequest,
  readReplicateRequest,
  writeForwardedWrite,
  writeHintAnswer,
  writeHintRequest,
  writeReadAnswer,
  writeReadDigest,
  writeReadRequest,
  writeReplicateRequest,
} from './protocol.ts';

const dot: fc.Arbitrary<Dot> = fc
  .record({
    member: fc.integer({ min: 1, max: 5 }),
    grant: fc.integer({ min: 1, max: 1e9 }),
    counter: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ member, grant, counter }) => ({ actor: actorOf(memberNumber(member), logIndex(grant)), counter }));
const dots = fc.array(dot, { maxLength: 5 });
const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const container: fc.Arbitrary<Container> = fc
  .record({ seen: dots, named: dots, version: bytes })
  .map(({ seen, named, version }) => {
    const siblings = named
      .filter((each, i) => named.findIndex((other) => sameDot(other, each)) === i)
      .sort(compareDots)
      .map((each) => ({ dot: each, version }));
    return { siblings, context: union(dotSetOf(seen), dotsOf({ siblings, context: [] })) };
  });
/** As it lies beside a clock. */
const storedContainer = fc.tuple(container, dots).map(([one, missing]) => lacking(one, dotSetOf(missing)));
const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const address: fc.Arbitrary<KeyAddress> = fc
  .record({ version: fc.nat(), place: fc.nat(65_535), bucket: fc.constantFrom('b', 'some.bucket'), key: text })
  .map(({ version, place, bucket, key }) => ({
    ...{ epoch: epoch(version), partition: partition(place), key: objectKey(bucket, key) },
  }));
const replicate: fc.Arbitrary<ReplicateRequest> = fc
  .record({ address, dots, container, delivery: fc.boolean() })
  .map(({ address, delivery, ...rest }) => ({ ...address, ...rest, ...(delivery && { delivery }) }));
const hint: fc.Arbitrary<HintRequest> = fc
  .record({ address, target: fc.integer({ min: 1, max: 9 }), dots, container })
  .map(({ address, target, dots, container }) => ({
    ...address,
    target: memberNumber(target),
    dots,
    container,
  }));
const forwarded: fc.Arbitrary<ForwardedWrite> = fc
  .record({
    address,
    ...{ w: fc.nat(9), pw: fc.nat(9), sloppy: fc.boolean(), returnValue: fc.boolean() },
    context: fc.option(dots.map(dotSetOf), { nil: undefined }),
    version: fc.option(
      fc.record({ value: bytes, contentType: text, meta: fc.array(fc.tuple(text, text), { maxLength: 3 }) }),
      { nil: undefined },
    ),
  })
  .map(({ address, ...rest }) => ({ ...address, ...rest }));

const withoutVersions = (stored: Container): Container => ({
  ...stored,
  siblings: stored.siblings.map((sibling) => ({ dot: sibling.dot, version: UNKNOWN_VERSION })),
});

interface Form<T> {
  readonly value: fc.Arbitrary<T>;
  readonly write: (out: ByteWriter, value: T) => void;
  readonly read: (source: ByteReader) => T;
}

function encoded<T>({ write }: Form<T>, value: T): Uint8Array {
  const out = new ByteWriter();
  write(out, value);
  return out.copy();
}

/** Round trip, strictness and canonicity of one form. */
function isSound<T>(name: string, form: Form<T>): void {
  describe(name, () => {
    it('is read back as it was written', () => {
      fc.assert(
        fc.property(form.value, (value) => {
          expect(form.read(new ByteReader(encoded(form, value)))).toEqual(value);
        }),
      );
    });

    it('is a decode error, or means the same as it does when written again, whatever was changed on the way', () => {
      const changed = fc.record({ value: form.value, at: fc.nat(), byte: fc.nat(255), cut: fc.nat(9) });
      fc.assert(
        fc.property(changed, ({ value, at, byte, cut }) => {
          const whole = Buffer.from(encoded(form, value));
          whole[at % whole.length] = byte;
          const message = cut === 0 ? whole.subarray(0, at % whole.length) : whole;
          let read: T;
          try {
            read = form.read(new ByteReader(message));
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
            return;
          }
          expect(form.read(new ByteReader(encoded(form, read)))).toEqual(read);
        }),
        { numRuns: 2000 },
      );
    });

    it('is nothing else but a decode error when it is noise', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
          try {
            form.read(new ByteReader(noise));
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }),
        { numRuns: 2000 },
      );
    });
  });
}

isSound('a read request', {
  value: fc
    .record({ address, digest: fc.boolean(), partial: fc.boolean() })
    .map(({ address, ...flags }) => ({ ...address, ...flags })),
  write: (out, request) => writeReadRequest(out, request, request.digest, request.partial),
  read: readReadRequest,
});
isSound('a replicate request', { value: replicate, write: writeReplicateRequest, read: readReplicateRequest });
isSound('a hint', { value: hint, write: writeHintRequest, read: readHintRequest });
isSound('an answer about hints', {
  value: fc.option(container, { nil: undefined }),
  write: writeHintAnswer,
  read: readHintAnswer,
});
isSound('a forwarded write', { value: forwarded, write: writeForwardedWrite, read: readForwardedWrite });
isSound('a read answer', {
  value: fc
    .record({
      ...{ clock: dots.map(dotSetOf), deletions: dots.map(dotSetOf) },
      ...{ stored: fc.option(storedContainer, { nil: undefined }), digest: fc.boolean() },
    })
    .map(({ clock, deletions, stored, digest }) => ({
      ...{ clock, deletions, digest: digest && stored !== undefined },
      stored: digest && stored !== undefined ? withoutVersions(stored) : stored,
    })),
  write: (out, { stored, digest, ...facts }) => {
    if (digest && stored !== undefined) writeReadDigest(out, facts, stored);
    else writeReadAnswer(out, facts, stored && Uint8Array.from(encodeContainer(stored)));
  },
  read: readReadAnswer,
});

describe('what is not ours', () => {
  const base = { epoch: epoch(1), partition: partition(1), key: objectKey('b', 'k') };
  const write = { ...base, w: 1, pw: 0, sloppy: true, returnValue: false, context: undefined, version: undefined };
  const withByte = (message: Uint8Array, byte: number) => new ByteReader(Uint8Array.of(...message, byte));
  const form = <T>(write: (out: ByteWriter, value: T) => void, value: T) =>
    encoded({ write, value: fc.constant(value), read: () => value }, value);

  it('is refused when something follows the message', () => {
    expect(() =>
      readReadRequest(
        withByte(
          form((out, address: KeyAddress) => writeReadRequest(out, address, false), base),
          0,
        ),
      ),
    ).toThrow(DecodeError);
    expect(() => readForwardedWrite(withByte(form(writeForwardedWrite, write), 0))).toThrow(DecodeError);
    const request = { ...base, dots: [], container: { siblings: [], context: [] } };
    expect(() => readReplicateRequest(withByte(form(writeReplicateRequest, request), 0))).toThrow(DecodeError);
  });

  it('is refused when it has a flag that this release does not know', () => {
    const message = Buffer.from(form(writeForwardedWrite, write));
    message[message.length - 1] = 16;
    expect(() => readForwardedWrite(new ByteReader(message))).toThrow(DecodeError);
    const read = Buffer.from(form((out, address: KeyAddress) => writeReadRequest(out, address, true), base));
    read[read.length - 1] = 4;
    expect(() => readReadRequest(new ByteReader(read))).toThrow(DecodeError);
    expect(() => readReadAnswer(new ByteReader(Uint8Array.of(2, 0)))).toThrow(DecodeError);
    expect(() => readReadAnswer(new ByteReader(Uint8Array.of(4, 0, 0)))).toThrow(DecodeError);
  });

  it('is refused when the key names no bucket', () => {
    const out = new ByteWriter().varint(1).varint(1).string('no bucket');
    expect(() => readReadRequest(new ByteReader(out.copy()))).toThrow(DecodeError);
  });
});
