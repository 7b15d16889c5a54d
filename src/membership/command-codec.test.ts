import fc from 'fast-check';
import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../core/bytes.ts';
import { actor, dots, floor } from '../core/causality/causality-builders.ts';
import { union } from '../core/causality/dot-set.ts';
import { withinBytes } from '../core/causality/retirement.ts';
import { applyCommand } from '../core/cluster/apply-command.ts';
import {
  bucketCommand,
  createCommand,
  grantCommand,
  History,
  retireCommand,
  settingsCommand,
} from '../core/cluster/cluster-builders.ts';
import type { Command } from '../core/cluster/command.ts';
import { logIndex, memberNumber, nodeId, partition } from '../core/ids.ts';
import { InvariantViolation } from '../core/invariant.ts';
import { PARTITIONS_MAX } from '../core/ring/hash-place.ts';
import { COMMAND_BYTES_MAX, decodeCommand, decodeState, encodeCommand, encodeState } from './command-codec.ts';

const commands: readonly Command[] = [
  createCommand(),
  grantCommand('a', []),
  grantCommand('b', ['a']),
  settingsCommand(1, { r: 'one', durability: 'os' }, 'b'),
  bucketCommand(2, 'b', { w: 3, conflict: 'siblings', valueBytes: 7 }, 'b'),
  bucketCommand(3, 'c', {}, 'b'),
  retireCommand(4, 3, dots('1.2.1', '1.2.2', '1.3.9')),
];

/** Buffers and arrays of bytes compare as bytes. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each) => (each instanceof Map ? [...each] : each)),
    (_, each) => (each?.type === 'Buffer' ? each.data : each),
  );
const bytesAsArrays = (value: object): unknown =>
  plain({ ...value, ...('secret' in value ? { secret: Buffer.from(value.secret as Uint8Array) } : {}) });

describe('commands as bytes', () => {
  it('are read back as they were', () => {
    for (const command of commands) {
      expect(bytesAsArrays(decodeCommand(encodeCommand(command)))).toEqual(bytesAsArrays(command));
    }
  });

  it('stay below the limit in the largest cluster that a configuration can ask for', () => {
    const owners = Array.from({ length: 16 }, (_, i) => memberNumber(256 - i));
    const ownership = Array.from({ length: PARTITIONS_MAX }, () => owners);
    const text = 'x'.repeat(256);
    const members = Array.from({ length: 256 }, (_, i) => ({
      ...{ id: nodeId(text), number: memberNumber(i + 1), zone: text, weight: 1000 },
      ...{ host: text, http: 65_535, rpc: 65_535 },
    }));
    expect(encodeCommand(createCommand({ members, ownership })).length).toBeLessThan(COMMAND_BYTES_MAX);
  });

  it('are our own mistake beyond it', () => {
    const owners = Array.from({ length: 64 }, (_, i) => memberNumber(1000 + i));
    const ownership = Array.from({ length: PARTITIONS_MAX }, () => owners);
    expect(() => encodeCommand(createCommand({ ownership }))).toThrow(InvariantViolation);
  });

  it('retire the actor of a whole life in all partitions of the largest cluster', () => {
    const all = union(floor(256, 3e9), [{ actor: actor(256, 4e9), runs: [1, 9e9] }]);
    const entries = new Map(Array.from({ length: PARTITIONS_MAX }, (_, i) => [partition(i), all] as const));
    const lives = Array.from({ length: 256 }, (_, i) => ({ member: memberNumber(i + 1), grant: logIndex(4e9) }));
    const retirement = { ...retireCommand(1, 4e9, all), entries, lives };
    expect(withinBytes(retirement, COMMAND_BYTES_MAX / 2)).toBe(retirement);
    expect(encodeCommand(retirement).length).toBeLessThan(COMMAND_BYTES_MAX);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a number', 7],
    ['a kind that this release does not know', { kind: 'rename' }],
    ['a field too many', { ...settingsCommand(1, {}), more: 1 }],
    ['a level that is none', settingsCommand(1, { r: 0 })],
    [
      'a setting without a value, which would take the value away',
      { ...settingsCommand(1, {}), settings: { r: undefined } },
    ],
    ['a property without a value', { ...bucketCommand(1, 'b', {}), properties: { w: undefined } }],
    ['entries that are none', { ...retireCommand(1, 3, dots()), entries: Buffer.of(1, 0, 0) }],
    ['a floor of nothing', { ...retireCommand(1, 0, dots()), entries: Buffer.of(0) }],
    ['a short secret', createCommand({ secret: new Uint8Array(31) })],
    ['a member without a number', { ...createCommand(), members: [{ ...createCommand().members[0], number: 0 }] }],
    ['a port out of range', grantCommand('a', [], { addresses: { host: 'h', http: 70_000, rpc: 1 } })],
  ])('are not decoded from %s', (_, value) => {
    expect(() => decodeCommand(pack(value))).toThrow(DecodeError);
  });

  it('are never garbage: a decode error, or a command that is applied or refused', () => {
    const mutated = fc
      .record({ command: fc.constantFrom(...commands), at: fc.nat(), byte: fc.nat(255), cut: fc.nat(40) })
      .map(({ command, at, byte, cut }) => {
        const bytes = Buffer.from(encodeCommand(command));
        bytes[at % bytes.length] = byte;
        return cut < 30 ? bytes : bytes.subarray(0, at % bytes.length);
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const before = new History(...commands.slice(0, 3)).state;
        try {
          const command = decodeCommand(bytes);
          for (const state of [undefined, before]) {
            expect(applyCommand(state, command, logIndex(99)).result.kind).toBeOneOf(['done', 'granted', 'refused']);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the state as bytes', () => {
  it('is read back as it was, and so is its absence', () => {
    expect(decodeState(encodeState(undefined))).toBeUndefined();
    const { present } = new History(...commands);
    const back = decodeState(encodeState(present));
    expect(back && bytesAsArrays(back)).toEqual(bytesAsArrays(present));
    expect(back?.secret).toHaveLength(32);
  });

  it('remembers which proposals were applied, whether the snapshot comes before or after (R10)', () => {
    const history = new History(...commands);
    const restored = decodeState(encodeState(history.present));
    for (const command of commands.slice(2)) {
      const repeated = applyCommand(restored, command, logIndex(99));
      expect(repeated.result).toEqual(applyCommand(history.state, command, logIndex(99)).result);
      expect(repeated.state).toBe(restored);
    }
  });

  it('has no retirements when an earlier release wrote it', () => {
    const { present } = new History(...commands);
    expect(present.retirements.size).toBe(1);
    const { retirements, ...earlier } = present;
    const bytes = pack({ ...earlier, buckets: [...present.buckets], proposals: [...present.proposals] });
    expect(decodeState(bytes)).toMatchObject({ epoch: present.epoch, retirements: new Map() });
  });

  it('is no state when a piece of it is missing', () => {
    const bytes = encodeState(new History(...commands).present);
    for (const length of [0, 1, 20, bytes.length - 1]) {
      expect(() => decodeState(bytes.subarray(0, length))).toThrow(DecodeError);
    }
  });
});
