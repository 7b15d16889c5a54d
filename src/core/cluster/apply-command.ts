/**
 * The cluster state's only way forward: `(state, command, index) -> (state, result)`, pure and total.
 *
 * 1. Every node applies the same commands in the same order and so holds the same state.
 * 2. A command that is refused changes nothing but the record of its proposal; applied twice, it changes nothing the second time and
 *    gives the first's result (R10).
 * 3. `create` takes effect once: the state of a cluster is never replaced.
 * 4. The epoch grows by one with every change that a request could notice, and a grant is not one unless an address changed; nor is
 *    a retirement, nor a change of the metadata group.
 * 5. A member's floor only rises, and stays below its latest grant.
 */
import { following, isSound } from '../causality/retirement.ts';
import { type Epoch, epoch, type LogIndex, type MemberNumber } from '../ids.ts';
import { invariant, unreachable } from '../invariant.ts';
import { resolveLevel } from '../quorum/quorum-spec.ts';
import { isPartitionCount } from '../ring/hash-place.ts';
import type {
  BucketProperties,
  ClusterSettings,
  ClusterState,
  CommandRefusal,
  CommandResult,
  Member,
  Origin,
} from './cluster-state.ts';
import { firstRaftId, STARTS_KEPT } from './cluster-state.ts';
import type {
  Addresses,
  BucketCommand,
  Command,
  CreateCommand,
  GrantCommand,
  ReadmitCommand,
  ReconfigureCommand,
  RetireCommand,
  SettingsCommand,
} from './command.ts';
import { foundingConfiguration, laterRaftId, sameConfiguration, stepProblem } from './metadata-configuration.ts';

/** The buckets that may have properties of their own. */
export const BUCKETS_MAX = 10_000;

export interface Applied {
  readonly state: ClusterState | undefined;
  readonly result: CommandResult;
}

export function applyCommand(state: ClusterState | undefined, command: Command, index: LogIndex): Applied {
  if (command.kind === 'create')
    return state === undefined ? create(command) : refused(state, 'exists', state.clusterId);
  if (state === undefined) return refused(state, 'no-cluster', 'the cluster has not been created');
  switch (command.kind) {
    case 'grant':
      return grant(state, command, index);
    case 'readmit':
      return readmit(state, command, index);
    case 'reconfigure':
      return reconfigure(state, command);
    case 'settings':
      return once(state, command.origin, () => changeSettings(state, command));
    case 'bucket':
      return once(state, command.origin, () => changeBucket(state, command));
    case 'retire':
      return once(state, command.origin, () => retire(state, command));
    default:
      return unreachable(command);
  }
}

function create(command: CreateCommand): Applied {
  const first = epoch(1);
  const problem = creationProblem(command);
  if (problem !== undefined) return refused(undefined, 'invalid', problem);
  const { cluster, clusterId, secret, n, settings } = command;
  const members = command.members.map((member) => ({
    ...member,
    state: 'active' as const,
    store: '',
    grant: 0 as LogIndex,
    starts: [],
    raft: firstRaftId(member.number),
  }));
  const ownership = command.ownership.map((owners) => ({ owners, since: first }));
  const state = {
    cluster,
    clusterId,
    secret,
    epoch: first,
    n,
    settings,
    members,
    ownership,
    metadata: foundingConfiguration(members.map(({ raft }) => raft)),
    buckets: new Map(),
    proposals: new Map(),
    retirements: new Map(),
  };
  return { state, result: { kind: 'done', epoch: first } };
}

function grant(state: ClusterState, command: GrantCommand, index: LogIndex): Applied {
  const member = state.members.find(({ id }) => id === command.member);
  if (member === undefined) return refused(state, 'unknown-member', `${command.member} is not a member`);
  if (member.store !== '' && member.store !== command.store) {
    return refused(state, 'other-store', `${member.id} is registered with data folder ${member.store}`);
  }
  const previousStart = member.starts.at(-1);
  if (previousStart === command.start) {
    return { state, result: { kind: 'granted', grant: member.grant, previousStart: member.starts.at(-2) } };
  }
  if (member.starts.includes(command.start)) return refused(state, 'superseded', 'a later start has the grant');
  if (previousStart !== undefined && !command.attempts.includes(previousStart)) {
    return refused(
      state,
      'restored',
      `the latest grant of ${member.id} went to a start that this data folder does not know`,
    );
  }
  invariant(index > member.grant, 'grants ascend');
  const starts = [...member.starts, command.start].slice(-STARTS_KEPT);
  const { host, http, rpc } = command.addresses;
  const granted: Member = { ...member, host, http, rpc, store: command.store, grant: index, starts };
  const members = state.members.map((other) => (other === member ? granted : other));
  const nextEpoch = sameAddresses(member, command.addresses) ? state.epoch : after(state);
  return { state: { ...state, members, epoch: nextEpoch }, result: { kind: 'granted', grant: index, previousStart } };
}

function readmit(state: ClusterState, { member: id, replaces, store }: ReadmitCommand, index: LogIndex): Applied {
  const member = state.members.find((other) => other.id === id);
  if (member === undefined) return refused(state, 'unknown-member', `${id} is not a member`);
  if (member.store === store) return done(state);
  if (member.store !== replaces && member.store !== '') {
    return refused(state, 'other-store', `${id} is registered with data folder ${member.store}`);
  }
  const isFirst = member.store === '' && replaces === '';
  const readmitted: Member = isFirst
    ? { ...member, store }
    : { ...member, store, starts: [], raft: laterRaftId(index) };
  return done({ ...state, members: state.members.map((other) => (other === member ? readmitted : other)) });
}

function reconfigure(state: ClusterState, { from, to }: ReconfigureCommand): Applied {
  if (!sameConfiguration(state.metadata, from))
    return refused(state, 'moved', 'the metadata group is another one by now');
  const problem = stepProblem(from, to);
  return problem === undefined ? done({ ...state, metadata: to }) : refused(state, 'invalid', problem);
}

function changeSettings(state: ClusterState, command: SettingsCommand): Applied {
  const settings: ClusterSettings = { ...state.settings, ...command.settings };
  const problem = levelProblem(settings, state.n);
  if (problem !== undefined) return refused(state, 'invalid', problem);
  return done({ ...state, settings, epoch: after(state) });
}

function changeBucket(state: ClusterState, { bucket, properties }: BucketCommand): Applied {
  const problem = levelProblem(properties, state.n);
  if (problem !== undefined) return refused(state, 'invalid', problem);
  const buckets = new Map(state.buckets);
  if (Object.keys(properties).length === 0) buckets.delete(bucket);
  else buckets.set(bucket, properties);
  if (buckets.size > BUCKETS_MAX) return refused(state, 'invalid', `at most ${BUCKETS_MAX} buckets have properties`);
  return done({ ...state, buckets, epoch: after(state) });
}

function retire(state: ClusterState, command: RetireCommand): Applied {
  const { member: number, floor, lives } = command;
  const member = state.members.find((candidate) => candidate.number === number);
  if (member === undefined) return refused(state, 'unknown-member', `${number} is no member's number`);
  if (floor >= member.grant) return refused(state, 'invalid', `the start with grant ${member.grant} has not ended`);
  const earlier = state.retirements.get(number);
  const before = earlier?.floor ?? 0;
  if (floor <= before) return refused(state, 'invalid', `actors up to grant ${before} are retired already`);
  if (!isSound(command, state.ownership.length)) return refused(state, 'invalid', 'entries of other actors');
  const grants = new Map(lives.map((life) => [life.member, life.grant]));
  const isLate =
    lives.length !== state.members.length || state.members.some((one) => grants.get(one.number) !== one.grant);
  if (isLate) return refused(state, 'superseded', 'a member has started since the owners agreed');
  const retirements = new Map(state.retirements).set(number, following(earlier, command));
  return done({ ...state, retirements });
}

/** Applies a proposal unless it was applied before, or a later start or proposal of its member has been. */
function once(state: ClusterState, origin: Origin, change: () => Applied): Applied {
  const member = state.members.find(({ id }) => id === origin.member);
  if (member === undefined) return refused(state, 'unknown-member', `${origin.member} is not a member`);
  if (member.starts.at(-1) !== origin.start)
    return refused(state, 'superseded', 'another start of the member has the grant');
  const last = state.proposals.get(origin.member);
  if (last !== undefined && last.start === origin.start && last.sequence >= origin.sequence) {
    return last.sequence === origin.sequence
      ? { state, result: last.result }
      : refused(state, 'superseded', 'a later proposal of the member was applied');
  }
  const applied = change();
  const { start, sequence } = origin;
  const next = applied.state ?? state;
  const proposals = new Map(next.proposals).set(origin.member, { start, sequence, result: applied.result });
  return { state: { ...next, proposals }, result: applied.result };
}

function creationProblem({ members, ownership, settings, n }: CreateCommand): string | undefined {
  const numbers = new Set(members.map((member) => member.number));
  const names = new Set(members.map((member) => member.id));
  if (numbers.size !== members.length || names.size !== members.length) return 'members must be distinct';
  if (!isPartitionCount(ownership.length)) return `${ownership.length} partitions`;
  const isPlaced = (owners: readonly MemberNumber[]) =>
    owners.length > 0 && new Set(owners).size === owners.length && owners.every((owner) => numbers.has(owner));
  return ownership.every(isPlaced) ? levelProblem(settings, n) : 'owners must be distinct members';
}

function levelProblem(levels: Pick<BucketProperties, 'r' | 'w'>, n: number): string | undefined {
  for (const name of ['r', 'w'] as const) {
    const level = levels[name];
    if (level !== undefined && resolveLevel(level, n) === undefined)
      return `${name}: expected at most n = ${n}, got ${level}`;
  }
  return undefined;
}

const done = (state: ClusterState): Applied => ({ state, result: { kind: 'done', epoch: state.epoch } });
const after = (state: ClusterState): Epoch => epoch(state.epoch + 1);

function refused(state: ClusterState | undefined, reason: CommandRefusal, detail: string): Applied {
  return { state, result: { kind: 'refused', reason, detail } };
}

function sameAddresses(a: Addresses, b: Addresses): boolean {
  return a.host === b.host && a.http === b.http && a.rpc === b.rpc;
}
