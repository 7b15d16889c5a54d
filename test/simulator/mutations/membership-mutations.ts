import type { Mutation } from './mutation.ts';

/** Founding, grants, standing, the cluster state. */
export const MEMBERSHIP_MUTATIONS: readonly Mutation[] = [
  {
    name: 'an emptied folder takes part again under its Raft id',
    rule: 'R3',
    file: 'core/cluster/apply-command.js',
    find: 'raft: laterRaftId(index)',
    replace: 'raft: member.raft',
    checkers: ['lost folders'],
    seedsMax: 20,
  },
  {
    name: 'who lost its folder is served before it has caught up',
    rule: 'C8',
    file: 'membership/catch-up.js',
    find: 'return (all && !closed.includes(partition)) || lost.includes(partition);',
    replace: 'return false;',
    checkers: ['strict quorum', 'monotonic reads', 'acknowledgements'],
    seedsMax: 332,
  },
  {
    name: 'a node answers reads before it knows its grant',
    rule: 'C8',
    file: 'membership/standing.js',
    find: 'return this.granted !== undefined || this.provisional;',
    replace: 'return true;',
    checkers: ['strict quorum'],
    seedsMax: 1,
    scenario: 'an older copy of a folder is asked before anybody can tell it so',
  },
  {
    name: 'a node writes under the grant of an earlier start until it has its own',
    rule: 'H1',
    file: 'membership/membership.js',
    find: 'this.current = new ClusterView(state);',
    replace: `this.current = new ClusterView(state);
        const { number = 0, grant = 0 } = state.members.find(({ id }) => id === this.options.self) ?? {};
        if (this.held > 0 && grant > this.held) this.standing.granted = number * 2 ** 32 + this.held;
        this.held = grant;`,
    checkers: [
      'lost folders',
      'minting',
      'crash',
      'acknowledged writes',
      'acknowledgements',
      'contexts',
      'clocks',
      'strict quorum',
      'convergence',
    ],
    seedsMax: 24,
  },
  {
    name: 'a start is announced before the folder knows it',
    rule: 'H1',
    file: 'membership/store-identity.js',
    find: 'attempts: [...earlier.slice(0, 1), ...earlier.slice(1).slice(2 - ATTEMPTS_MAX), start]',
    replace: 'attempts: earlier',
    checkers: ['lost folders'],
    seedsMax: 81,
  },
  {
    name: 'a proposal that comes twice is applied twice',
    rule: 'R10',
    file: 'core/cluster/apply-command.js',
    find: 'if (last !== undefined && last.start === origin.start && last.sequence >= origin.sequence) {',
    replace: 'if (false) {',
    checkers: ['metadata', 'convergence'],
    seedsMax: 282,
  },
  {
    name: 'zones are not looked at when owners are chosen',
    rule: 'H26',
    file: 'membership/creation.js',
    find: 'planOwnership({ members, partitions',
    replace: "planOwnership({ members: members.map((member) => ({ ...member, zone: '' })), partitions",
    checkers: ['placement', 'convergence'],
    seedsMax: 5,
  },
];
