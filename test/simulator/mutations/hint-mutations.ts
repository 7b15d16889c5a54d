import type { Mutation } from './mutation.ts';

const CUT_OFF = 'those who own nothing are cut off from the owners again and again, and write';

const LITTLE_ROOM = 'those who own nothing are cut off with little room for hints';
const HINTS_ALONE = 'what owners missed reaches them by hints alone';
const STAND_INS_ONLY =
  'an owner writes with those who stand in for all others, and the power fails when a write was answered';

const AMONG_STAND_INS =
  'those who own nothing write and read among themselves, and the power fails when a value was read';

/** Sloppy quorums: hints, those who keep them, and their delivery. */
export const HINT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'hints are forgotten when a process ends',
    rule: 'H16',
    file: 'replica/hint-store.js',
    find: '        this.load();',
    replace: '',
    checkers: ['remains', 'hints', 'acknowledged writes', 'shown values'],
    seedsMax: 60,
  },
  {
    name: 'where there is no room the oldest hints go',
    rule: 'H18',
    file: 'replica/hint-store.js',
    find: `            this.refused++;
            return undefined;`,
    replace: `            for (const [other, { entries }] of [...this.targets])
                for (const [old, { sequence }] of [...entries].slice(0, 2)) this.delivered({ target: other, key: old, sequence });`,
    checkers: ['hints', 'acknowledged writes', 'shown values', 'invariant', 'crash'],
    seedsMax: 1,
    scenario: LITTLE_ROOM,
  },
  {
    name: 'hints expire',
    rule: 'H18',
    file: 'replica/hint-store.js',
    find: `    totals() {
`,
    replace: `    totals() {
        for (const [target, { entries }] of [...this.targets])
            for (const [key, { bornMs, sequence }] of [...entries])
                if (this.clock.wallMs() - bornMs > 1000) this.delivered({ target, key, sequence });
`,
    checkers: ['retirement', 'hints', 'acknowledged writes', 'shown values'],
    seedsMax: 30,
  },
  {
    name: 'a merge overwrites what the hint held',
    rule: 'C6',
    file: 'replica/hint-store.js',
    find: 'held === undefined ? writes : mergeHinted(held, writes)',
    replace: 'writes',
    checkers: ['retirement', 'hints', 'acknowledged writes', 'shown values'],
    seedsMax: 60,
  },
  {
    name: 'a hint lists only the dots of the last write merged into it',
    rule: 'C6',
    file: 'core/causality/hinted-writes.js',
    find: 'dots: union(a.dots, b.dots), container',
    replace: 'dots: b.dots, container',
    checkers: ['retirement', 'hints', 'acknowledgements'],
    seedsMax: 60,
  },
  {
    name: 'a fallback fills from what it has ever minted',
    rule: 'C6',
    file: 'replica/fallback.js',
    find: 'writeAsFallback(hints.held(address.key)?.container, dot, version, context)',
    replace: `writeAsFallback({
            siblings: hints.held(address.key)?.container.siblings ?? [],
            context: [...(hints.held(address.key)?.container.context ?? []).filter((entry) => entry.actor !== actor), ...(dot.counter === 1 ? [] : [{ actor, runs: [1, dot.counter - 1] }])].sort((a, b) => a.actor - b.actor),
        }, dot, version, context)`,
    checkers: ['hints', 'acknowledged writes', 'shown values', 'clocks', 'contexts', 'strict quorum'],
    seedsMax: 1,
    scenario: LITTLE_ROOM,
  },
  {
    name: 'a fallback counts as an owner',
    rule: 'H9',
    file: 'core/quorum/reply-tally.js',
    find: "byOwner = owners.filter((owner) => this.stateOf(owner) === 'acked').length;",
    replace: 'byOwner = owners.filter((owner) => this.isTaken(owner)).length;',
    checkers: ['quorums', 'strict quorum'],
    seedsMax: 30,
  },
  {
    name: 'a strict write takes fallbacks too',
    rule: 'H9',
    file: 'coordinator/write-operation.js',
    find: 'if (!write.sloppy)',
    replace: 'if (false)',
    checkers: ['quorums'],
    seedsMax: 30,
  },
  {
    name: 'hints for who was away are never delivered',
    rule: 'H16',
    file: 'repair/hint-delivery.js',
    find: 'target.notBeforeMs = nowMs + START_SPREAD_MS * random.next();',
    replace: 'target.notBeforeMs = Number.POSITIVE_INFINITY;',
    checkers: ['hints'],
    seedsMax: 5,
  },
  {
    name: 'a hint is deleted though its delivery failed',
    rule: 'H17',
    file: 'repair/deliver-hint.js',
    find: 'if (!(await Promise.all(sent)).every(Boolean))',
    replace: 'if ((await Promise.all(sent)).length === 0)',
    checkers: ['hints', 'acknowledged writes', 'convergence'],
    seedsMax: 1,
    scenario: HINTS_ALONE,
  },
  {
    name: "a hint is deleted before the target's acknowledgement",
    rule: 'H17',
    file: 'repair/deliver-hint.js',
    find: 'if (!(await Promise.all(sent)).every(Boolean))',
    replace: 'if (hints.delivered(hint) && !(await Promise.all(sent)).every(Boolean))',
    checkers: ['hints', 'acknowledged writes', 'convergence'],
    seedsMax: 1,
    scenario: HINTS_ALONE,
  },
  {
    name: 'a hint is deleted though it has changed since it was sent',
    rule: 'H17',
    file: 'replica/hint-store.js',
    find: '|| entry.sequence !== sequence',
    replace: '',
    checkers: ['hints', 'acknowledged writes', 'convergence'],
    seedsMax: 1,
    scenario: HINTS_ALONE,
  },
  {
    name: "a delivery adds only the siblings' dots to the clock",
    rule: 'C6',
    file: 'repair/deliver-hint.js',
    find: 'const dots of piecesOf(hint.dots)',
    replace: 'const dots of [[]]',
    checkers: ['hints', 'convergence'],
    seedsMax: 1,
    scenario: HINTS_ALONE,
  },
  {
    name: "a fallback's counter goes with its hints",
    rule: 'C6',
    file: 'replica/hint-store.js',
    find: '{ key: hintKey(target, key), value: undefined }',
    replace:
      '{ key: hintKey(target, key), value: undefined }, { key: `hint-counter/${entry.partition}`, value: undefined }',
    checkers: ['minting', 'crash', 'clocks', 'acknowledged writes'],
    seedsMax: 1,
    scenario: CUT_OFF,
  },
  {
    name: 'a hint is acknowledged before its flush',
    rule: 'W',
    file: 'replica/hint-handlers.js',
    find: 'return store.durable(sequence, durability(hint.epoch)).then(() => request.reply(ACK));',
    replace: 'return request.reply(ACK);',
    checkers: ['acknowledged writes', 'hints'],
    seedsMax: 1,
    scenario: STAND_INS_ONLY,
  },
  {
    name: 'an owner that did not acknowledge a write in time gets no hint',
    rule: 'H14',
    file: 'coordinator/write-operation.js',
    find: 'this.open > 0 || this.written',
    replace: 'true || this.written',
    checkers: ['hints', 'convergence'],
    seedsMax: 1,
    scenario: HINTS_ALONE,
  },
  {
    name: 'a fallback shows what its hints hold before their flush',
    rule: 'C7',
    file: 'replica/hint-handlers.js',
    find: 'if (held !== undefined && held.sequence !== 0)',
    replace: 'if (false)',
    checkers: ['shown values', 'acknowledged writes'],
    seedsMax: 1,
    scenario: AMONG_STAND_INS,
  },
  {
    name: 'a fallback that coordinates a read takes its own hints before their flush',
    rule: 'C7',
    file: 'coordinator/hint-read.js',
    find: 'if (held !== undefined && held.sequence !== 0)',
    replace: 'if (false)',
    checkers: ['shown values', 'acknowledged writes'],
    seedsMax: 1,
    scenario: AMONG_STAND_INS,
  },
];
