import fc from 'fast-check';
import { pack, unpack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { bytes, entriesOf, ids, voters } from '../../../test/raft/raft-network.ts';
import { DecodeError } from '../bytes.ts';
import { logIndex, term } from '../ids.ts';
import type { MessageBody, RaftMessage } from './message.ts';
import { parseRaftMessage } from './parse-message.ts';
import { raftId } from './types.ts';

const index = logIndex(7);
const bodies: readonly MessageBody[] = [
  { kind: 'vote', lastIndex: index, lastTerm: term(2) },
  { kind: 'pre-vote', lastIndex: index, lastTerm: term(2) },
  { kind: 'vote-reply', granted: true },
  { kind: 'pre-vote-reply', granted: false },
  { kind: 'append', previousIndex: index, previousTerm: term(1), entries: entriesOf(8, [1, 3]), commit: index },
  { kind: 'append-accepted', index },
  { kind: 'append-rejected', rejectedIndex: index, hintIndex: index, hintTerm: term(1) },
  { kind: 'heartbeat', commit: index, round: 4 },
  { kind: 'heartbeat-reply', round: 4 },
  {
    kind: 'snapshot',
    snapshot: { index, term: term(2), configuration: { ...voters(1, 2), learners: ids(3) }, data: bytes('state') },
  },
  { kind: 'stale-term' },
  { kind: 'propose', data: bytes('x') },
  { kind: 'read-index', token: 'a' },
  { kind: 'read-index-reply', token: 'a', index },
];
const messageOf = (body: MessageBody): RaftMessage => ({ from: raftId(1), to: raftId(2), term: term(3), ...body });
const parsed = (value: unknown): RaftMessage => parseRaftMessage(unpack(pack(value)));

/** Every place in a value, as the keys that lead there. */
function places(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [[]];
  const inner = Object.entries(value).flatMap(([key, each]) => places(each).map((place) => [key, ...place]));
  return [[], ...inner];
}

function replaced(value: unknown, place: readonly string[], by: unknown): unknown {
  const [key, ...rest] = place;
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((each, at) => (String(at) === key ? replaced(each, rest, by) : each));
  return Object.fromEntries(
    Object.entries(value as object).map(([name, each]) => [name, name === key ? replaced(each, rest, by) : each]),
  );
}

describe('parseRaftMessage', () => {
  it.each(bodies)('takes a $kind message as it was sent', (body) => {
    expect(parsed(messageOf(body))).toEqual(messageOf(body));
  });

  it.each(bodies)(
    'refuses a $kind message in which anything is of another type, negative, fractional or missing',
    (body) => {
      const message = messageOf(body);
      for (const place of places(message)) {
        for (const by of [undefined, null, -1, 0.5, Number.NaN, {}, 2 ** 60]) {
          expect(() => parseRaftMessage(replaced(message, place, by)), `${place.join('.')} = ${String(by)}`).toThrow(
            DecodeError,
          );
        }
      }
    },
  );

  it('drops fields that it does not know', () => {
    const message = messageOf({ kind: 'stale-term' });
    expect(parsed({ ...message, extra: 1 })).toEqual(message);
  });

  it.each([
    ['a gap before the entries', { entries: entriesOf(9, [3]) }],
    ['a gap within the entries', { entries: [...entriesOf(8, [1]), ...entriesOf(10, [1])] }],
    ['terms that decrease', { entries: entriesOf(8, [3, 1]) }],
    ['a term below that of the previous entry', { previousTerm: 2, entries: entriesOf(8, [1]) }],
    ['a term above the sender\u2019s', { entries: entriesOf(8, [4]) }],
  ])('refuses an append with %s', (_, change) => {
    const append = messageOf({
      kind: 'append',
      previousIndex: index,
      previousTerm: term(1),
      entries: [],
      commit: index,
    });
    expect(() => parsed({ ...append, ...change })).toThrow(DecodeError);
  });

  it.each([
    ['nobody who votes', { configuration: voters() }],
    ['somebody twice', { configuration: voters(1, 1) }],
    ['a learner who votes', { configuration: { ...voters(1), learners: [1] } }],
    ['no id', { configuration: voters(0) }],
    ['a term above the sender\u2019s', { term: 4 }],
    ['no index', { index: 0 }],
  ])('refuses a snapshot with %s', (_, change) => {
    const snapshot = { index, term: term(2), configuration: voters(1), data: bytes('state') };
    expect(parsed(messageOf({ kind: 'snapshot', snapshot }))).toBeDefined();
    expect(() =>
      parsed({ ...messageOf({ kind: 'stale-term' }), kind: 'snapshot', snapshot: { ...snapshot, ...change } }),
    ).toThrow(DecodeError);
  });

  it('refuses an empty proposal and an endless token', () => {
    expect(() => parsed(messageOf({ kind: 'propose', data: new Uint8Array(0) }))).toThrow(DecodeError);
    expect(() => parsed(messageOf({ kind: 'read-index', token: 'a'.repeat(129) }))).toThrow(DecodeError);
  });

  it('keeps no view of the buffer that the message came in', () => {
    const data = bytes('x');
    const message = parseRaftMessage({ ...messageOf({ kind: 'stale-term' }), kind: 'propose', data });
    data[0] = 0;
    expect(message).toMatchObject({ data: bytes('x') });
  });

  it('gives a message or a DecodeError, whatever it is fed', () => {
    const kinds = fc.constantFrom(...bodies.map((body) => body.kind));
    const values = fc.anything({ withBigInt: true, withTypedArray: true, withSparseArray: true });
    fc.assert(
      fc.property(
        kinds,
        fc.dictionary(fc.constantFrom('index', 'term', 'entries', 'snapshot', 'round', 'data'), values),
        (kind, fields) => {
          const { from, to } = messageOf({ kind: 'stale-term' });
          try {
            parseRaftMessage({ from, to, term: 3, ...fields, kind });
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        },
      ),
    );
  });
});
