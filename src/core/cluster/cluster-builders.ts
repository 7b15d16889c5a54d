/** What the tests about the cluster state are built of. */
import type { DotSet } from '../causality/dot-set.ts';
import { epoch, logIndex, memberNumber, nodeId, partition } from '../ids.ts';
import { invariant } from '../invariant.ts';
import { applyCommand } from './apply-command.ts';
import type { ClusterState, CommandResult } from './cluster-state.ts';
import type { BucketCommand, Command, CreateCommand, GrantCommand, RetireCommand, SettingsCommand } from './command.ts';

export const n1 = nodeId('n1');
export const n2 = nodeId('n2');

/** Three members n1..n3, four partitions, n = 3. */
export function createCommand(more: Partial<CreateCommand> = {}): CreateCommand {
  const numbers = [1, 2, 3].map(memberNumber);
  return {
    kind: 'create',
    cluster: 'test',
    clusterId: 'first',
    secret: new Uint8Array(32).fill(7),
    n: 3,
    settings: { r: 'quorum', w: 'quorum', durability: 'flush' },
    members: numbers.map((number) => ({
      ...{ id: nodeId(`n${number}`), number, zone: `z${number}`, weight: 1 },
      ...{ host: 'localhost', http: 8080 + number, rpc: 9080 + number },
    })),
    ownership: [numbers, numbers, numbers, numbers],
    ...more,
  };
}

export function grantCommand(
  start: string,
  attempts: readonly string[],
  more: Partial<GrantCommand> = {},
): GrantCommand {
  const addresses = { host: 'localhost', http: 8081, rpc: 9081 };
  return { kind: 'grant', member: n1, store: 'folder 1', start, attempts, addresses, ...more };
}

export function settingsCommand(
  sequence: number,
  settings: SettingsCommand['settings'],
  start = 'a',
  member = n1,
): SettingsCommand {
  return { kind: 'settings', origin: { member, start, sequence }, settings };
}

export function bucketCommand(
  sequence: number,
  bucket: string,
  properties: BucketCommand['properties'],
  start = 'a',
): BucketCommand {
  return { kind: 'bucket', origin: { member: n1, start, sequence }, bucket, properties };
}

/** Of the first member's actors up to the grant, by its start `b`; `entries` are those of partition 0. */
export function retireCommand(
  sequence: number,
  floor: number,
  entries: DotSet,
  more: Partial<RetireCommand> = {},
): RetireCommand {
  return {
    kind: 'retire',
    origin: { member: n1, start: 'b', sequence },
    member: memberNumber(1),
    floor: logIndex(floor),
    entries: new Map(entries.length === 0 ? [] : [[partition(0), entries]]),
    lives: [4, 0, 0].map((grant, i) => ({ member: memberNumber(i + 1), grant: logIndex(grant) })),
    ...more,
  };
}

/** A state and the results on the way to it. */
export class History {
  state: ClusterState | undefined;
  readonly results: CommandResult[] = [];
  private index = 1;

  constructor(...commands: readonly Command[]) {
    for (const command of commands) this.apply(command);
  }

  apply(command: Command): CommandResult {
    const { state, result } = applyCommand(this.state, command, logIndex(++this.index));
    this.state = state;
    this.results.push(result);
    return result;
  }

  get present(): ClusterState {
    invariant(this.state !== undefined, 'a cluster was created');
    return this.state;
  }

  member(id: string): ClusterState['members'][number] {
    const member = this.present.members.find((candidate) => candidate.id === id);
    invariant(member !== undefined, `${id} is a member`);
    return member;
  }
}

export const done = (version: number): CommandResult => ({ kind: 'done', epoch: epoch(version) });
