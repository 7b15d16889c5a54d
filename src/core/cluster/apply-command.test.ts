import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logIndex, memberNumber, nodeId } from '../ids.ts';
import { applyCommand, BUCKETS_MAX } from './apply-command.ts';
import {
  bucketCommand,
  createCommand,
  done,
  grantCommand,
  History,
  n1,
  n2,
  settingsCommand,
} from './cluster-builders.ts';
import { STARTS_KEPT } from './cluster-state.ts';
import type { Command, CreateCommand } from './command.ts';

const granted = (grant: number, previousStart?: string) => ({ kind: 'granted', grant: logIndex(grant), previousStart });
const refused = (reason: string) => expect.objectContaining({ kind: 'refused', reason });

/** A cluster whose member n1 has the grant of start `a`. */
const running = () => new History(createCommand(), grantCommand('a', []));

describe('creation', () => {
  it('makes the cluster in epoch 1, with members that have no grant yet', () => {
    const { state, results } = new History(createCommand());
    expect(results).toEqual([done(1)]);
    expect(state).toMatchObject({ clusterId: 'first', epoch: 1, n: 3, buckets: new Map(), proposals: new Map() });
    expect(state?.members.map(({ id, grant, store, starts }) => ({ id, grant, store, starts }))).toEqual(
      ['n1', 'n2', 'n3'].map((id) => ({ id, grant: 0, store: '', starts: [] })),
    );
    expect(state?.ownership).toEqual([1, 2, 3, 4].map(() => ({ owners: [1, 2, 3], since: 1 })));
  });

  it('takes effect once: a second one changes nothing', () => {
    const history = new History(createCommand());
    const before = history.state;
    expect(history.apply(createCommand({ clusterId: 'second' }))).toEqual(refused('exists'));
    expect(history.state).toBe(before);
  });

  it('comes before everything else', () => {
    for (const command of [grantCommand('a', []), settingsCommand(1, { r: 1 }), bucketCommand(1, 'b', {})]) {
      const history = new History(command);
      expect(history.results).toEqual([refused('no-cluster')]);
      expect(history.state).toBeUndefined();
    }
  });

  const [first] = createCommand().members;
  it.each<[string, Partial<CreateCommand>]>([
    ['an owner that is no member', { ownership: [[memberNumber(9)]] }],
    ['a partition without an owner', { ownership: [[]] }],
    ['an owner named twice', { ownership: [[memberNumber(1), memberNumber(1)]] }],
    [
      'a member number given twice',
      { members: createCommand().members.map((m) => ({ ...m, number: memberNumber(1) })) },
    ],
    ['a member named twice', { members: createCommand().members.map((m) => ({ ...m, id: first?.id ?? n1 })) }],
    ['no partitions', { ownership: [] }],
    ['partitions that are no power of two', { ownership: createCommand().ownership.slice(1) }],
    ['a default above n', { settings: { r: 4, w: 'all', durability: 'flush' } }],
  ])('is refused with %s', (_, more) => {
    const history = new History(createCommand(more));
    expect(history.results).toEqual([refused('invalid')]);
    expect(history.state).toBeUndefined();
  });
});

describe('a grant', () => {
  it('is the log index of its command, and registers the data folder and the start', () => {
    const history = running();
    expect(history.results[1]).toEqual(granted(3));
    expect(history.member('n1')).toMatchObject({ grant: 3, store: 'folder 1', starts: ['a'] });
    expect(history.member('n2')).toMatchObject({ grant: 0, store: '' });
  });

  it('ascends with every start, and names the start before', () => {
    const history = running();
    expect(history.apply(grantCommand('b', ['a']))).toEqual(granted(4, 'a'));
    expect(history.apply(grantCommand('c', ['b']))).toEqual(granted(5, 'b'));
  });

  it('that is asked for again is the same one', () => {
    const history = running();
    history.apply(grantCommand('b', ['a']));
    const before = history.state;
    expect(history.apply(grantCommand('b', ['a']))).toEqual(granted(4, 'a'));
    expect(history.state).toBe(before);
  });

  it('is given to a start that follows attempts of which nobody knows whether one got it', () => {
    const history = new History(createCommand(), grantCommand('a', []), grantCommand('b', ['a']));
    expect(history.apply(grantCommand('d', ['a', 'b', 'c']))).toEqual(granted(5, 'b'));
  });

  it('is refused to an earlier start once a later one has it, however late the message comes', () => {
    const history = running();
    for (let i = 1; i < STARTS_KEPT; i++) history.apply(grantCommand(`s${i}`, [i === 1 ? 'a' : `s${i - 1}`]));
    const before = history.state;
    expect(history.apply(grantCommand('a', []))).toEqual(refused('superseded'));
    history.apply(grantCommand('more', [`s${STARTS_KEPT - 1}`]));
    expect(history.apply(grantCommand('a', []))).toEqual(refused('restored'));
    expect(before?.epoch).toBe(history.present.epoch);
  });

  it('is refused to a folder that does not know the start with the latest one: an older copy', () => {
    const history = new History(createCommand(), grantCommand('a', []), grantCommand('b', ['a']));
    const before = history.state;
    expect(history.apply(grantCommand('c', ['a']))).toEqual(refused('restored'));
    expect(history.state).toBe(before);
  });

  it('is refused to another folder than the registered one', () => {
    const history = running();
    expect(history.apply(grantCommand('b', ['a'], { store: 'folder 2' }))).toEqual(refused('other-store'));
    expect(history.member('n1')).toMatchObject({ store: 'folder 1', grant: 3 });
  });

  it('is refused to a stranger', () => {
    expect(running().apply(grantCommand('b', [], { member: nodeId('n9') }))).toEqual(refused('unknown-member'));
  });

  it('is a new epoch only when the addresses have changed', () => {
    const history = running();
    expect(history.present.epoch).toBe(1);
    history.apply(grantCommand('b', ['a'], { addresses: { host: 'elsewhere', http: 1, rpc: 2 } }));
    expect(history.present.epoch).toBe(2);
    expect(history.member('n1')).toMatchObject({ host: 'elsewhere', http: 1, rpc: 2 });
  });
});

describe('settings and buckets', () => {
  it('change what is named and keep the rest, each in an epoch of its own', () => {
    const history = running();
    expect(history.apply(settingsCommand(1, { w: 'all' }))).toEqual(done(2));
    expect(history.present.settings).toEqual({ r: 'quorum', w: 'all', durability: 'flush' });
    expect(history.apply(bucketCommand(2, 'b', { r: 'one', valueBytes: 5 }))).toEqual(done(3));
    expect(history.apply(bucketCommand(3, 'b', { w: 2 }))).toEqual(done(4));
    expect(history.present.buckets).toEqual(new Map([['b', { w: 2 }]]));
  });

  it('are refused with a level above n, naming it', () => {
    const history = running();
    const { settings } = history.present;
    const result = history.apply(settingsCommand(1, { r: 4 }));
    expect(result).toMatchObject({ kind: 'refused', reason: 'invalid', detail: expect.stringContaining('r: ') });
    expect(history.apply(bucketCommand(2, 'b', { w: 4 }))).toMatchObject({ detail: expect.stringContaining('w: ') });
    expect(history.present).toMatchObject({ epoch: 1, settings, buckets: new Map() });
  });

  it('forget a bucket without properties', () => {
    const history = running();
    history.apply(bucketCommand(1, 'b', { r: 1 }));
    history.apply(bucketCommand(2, 'b', {}));
    expect(history.present.buckets.size).toBe(0);
  });

  it('hold a limited number of buckets, and go on changing those that are there', () => {
    const history = running();
    const buckets = new Map(Array.from({ length: BUCKETS_MAX }, (_, i) => [`b${i}`, { r: 1 }]));
    history.state = { ...history.present, buckets };
    expect(history.apply(bucketCommand(1, 'one more', { r: 1 }))).toEqual(refused('invalid'));
    expect(history.apply(bucketCommand(2, 'b0', { r: 2 }))).toEqual(done(2));
  });
});

describe('a proposal', () => {
  it('is applied once, and gives the first result again (R10)', () => {
    const history = running();
    history.apply(settingsCommand(1, { r: 1 }));
    const before = history.state;
    expect(history.apply(settingsCommand(1, { r: 1 }))).toEqual(done(2));
    expect(history.state).toBe(before);
  });

  it('that was refused is refused again, with the same words', () => {
    const history = running();
    const result = history.apply(settingsCommand(1, { r: 9 }));
    expect(history.apply(settingsCommand(1, { r: 9 }))).toEqual(result);
  });

  it('that a later one of its start has overtaken is not applied', () => {
    const history = running();
    history.apply(settingsCommand(2, { r: 1 }));
    expect(history.apply(settingsCommand(1, { r: 2 }))).toEqual(refused('superseded'));
    expect(history.present.settings.r).toBe(1);
  });

  it('counts from the beginning in a new start, and an earlier start has no voice any more', () => {
    const history = running();
    history.apply(settingsCommand(7, { r: 1 }));
    history.apply(grantCommand('b', ['a']));
    expect(history.apply(settingsCommand(8, { r: 2 }))).toEqual(refused('superseded'));
    expect(history.apply(settingsCommand(1, { r: 3 }, 'b'))).toEqual(done(3));
    expect(history.present.settings.r).toBe(3);
  });

  it('needs a member with a grant', () => {
    const history = running();
    expect(history.apply(settingsCommand(1, { r: 1 }, 'a', n2))).toEqual(refused('superseded'));
    expect(history.apply(settingsCommand(1, { r: 1 }, 'a', nodeId('n9')))).toEqual(refused('unknown-member'));
  });
});

const start = fc.constantFrom('a', 'b', 'c', 'd');
const level = fc.oneof(
  fc.constantFrom('one' as const, 'quorum' as const, 'all' as const),
  fc.integer({ min: 1, max: 5 }),
);
const origin = fc.record({ member: fc.constantFrom(n1, n2, nodeId('n9')), start, sequence: fc.nat(3) });
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.constant(createCommand()),
  fc
    .record({ start, attempts: fc.array(start), member: origin.map((o) => o.member), store: fc.constantFrom('x', 'y') })
    .map(({ start, attempts, ...more }) => grantCommand(start, attempts, more)),
  fc
    .record({ origin, settings: fc.record({ r: level, w: level }, { requiredKeys: [] }) })
    .map((fields): Command => ({ kind: 'settings', ...fields })),
  fc
    .record({ origin, bucket: fc.constantFrom('b', 'c'), properties: fc.record({ r: level }, { requiredKeys: [] }) })
    .map((fields): Command => ({ kind: 'bucket', ...fields })),
);

describe('any sequence of commands', () => {
  it('gives the same states wherever it is applied, and never changes an earlier one', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const [one, two] = [new History(createCommand()), new History(createCommand())];
        for (const each of commands) {
          const before = one.state;
          const image = structuredClone(before);
          expect(one.apply(each)).toEqual(two.apply(each));
          expect(one.state).toEqual(two.state);
          expect(before).toEqual(image);
        }
      }),
    );
  });

  it('keeps epochs, grants and the identity of the cluster in order', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const history = new History(createCommand());
        for (const each of commands) {
          const before = history.present;
          const result = history.apply(each);
          const after = history.present;
          expect(after.epoch - before.epoch).toBeOneOf([0, 1]);
          expect(after.clusterId).toBe(before.clusterId);
          for (const [i, member] of after.members.entries()) {
            expect(member.grant).toBeGreaterThanOrEqual(before.members[i]?.grant ?? 0);
            expect(member.starts.length).toBeLessThanOrEqual(STARTS_KEPT);
          }
          if (result.kind === 'refused') expect({ ...after, proposals: 0 }).toEqual({ ...before, proposals: 0 });
        }
      }),
    );
  });

  it('changes nothing when its last command is repeated', () => {
    fc.assert(
      fc.property(fc.array(command, { minLength: 1, maxLength: 20 }), (commands) => {
        const history = new History(createCommand(), ...commands);
        const last = commands.at(-1) ?? createCommand();
        const { state } = applyCommand(history.state, last, logIndex(1000));
        expect(state).toEqual(history.state);
      }),
    );
  });
});
