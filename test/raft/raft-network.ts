import { pack, unpack } from 'msgpackr';
import { type LogIndex, logIndex, term } from '../../src/core/ids.ts';
import type { RaftMessage } from '../../src/core/raft/message.ts';
import { parseRaftMessage } from '../../src/core/raft/parse-message.ts';
import type { RaftConfig } from '../../src/core/raft/raft-config.ts';
import { RaftNode } from '../../src/core/raft/raft-node.ts';
import type { Ready } from '../../src/core/raft/ready.ts';
import { type Configuration, type Entry, type RaftId, raftId, type StoredState } from '../../src/core/raft/types.ts';

const NO_DATA = new Uint8Array(0);

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array): string => new TextDecoder().decode(data);
export const ids = (...numbers: readonly number[]): readonly RaftId[] => numbers.map(raftId);

export function voters(...numbers: readonly number[]): Configuration {
  return { voters: ids(...numbers), outgoing: [], learners: [] };
}

/** Election after exactly 3 ticks, a heartbeat every tick, and limits that nobody meets unless a test lowers them. */
export function raftConfig(id: number, overrides: Partial<RaftConfig> = {}): RaftConfig {
  return {
    id: raftId(id),
    electionTicks: 3,
    heartbeatTicks: 1,
    random: () => 0,
    appendBytesMax: 1 << 20,
    inflightAppendsMax: 256,
    uncommittedBytesMax: 1 << 20,
    pendingReadsMax: 16,
    ...overrides,
  };
}

/** Entries from `first` on with these terms; their data names them. Term and index as the reader would write them: `t1i11`. */
export function entriesOf(first: number, terms: readonly number[]): readonly Entry[] {
  return terms.map((each, position) => ({
    index: logIndex(first + position),
    term: term(each),
    data: bytes(`t${each}i${first + position}`),
  }));
}

interface StoredShape {
  readonly index: number;
  readonly terms: readonly number[];
  readonly term: number;
  readonly commit: number;
}

/** A disk on which the group's snapshot stands at `index` (term 1, or 0 at index 0) and after it entries of these terms. */
export function stored(
  configuration: Configuration,
  { index = 10, terms = [], term: current = 0, commit = index }: Partial<StoredShape> = {},
): StoredState {
  const snapshotTerm = term(index === 0 ? 0 : 1);
  return {
    hardState: { term: term(Math.max(current, snapshotTerm, ...terms)), vote: undefined, commit: logIndex(commit) },
    snapshot: { index: logIndex(index), term: snapshotTerm, configuration, data: NO_DATA },
    entries: entriesOf(index + 1, terms),
  };
}

/** The disk after a Ready was written to it. */
export function write(disk: StoredState, ready: Ready): StoredState {
  const base = ready.snapshot === undefined ? disk : { ...disk, snapshot: ready.snapshot, entries: [] };
  const from = ready.entries[0]?.index ?? Number.POSITIVE_INFINITY;
  const entries = [...base.entries.filter((entry) => entry.index < from), ...ready.entries];
  return { snapshot: base.snapshot, entries, hardState: ready.hardState ?? base.hardState };
}

/** A machine with its disk and state machine, the driver's part done in the order that {@link Ready} asks for. */
export class RaftHost {
  readonly node: RaftNode;
  disk: StoredState;
  readonly applied: Entry[] = [];
  readonly reads: { token: string; index: LogIndex }[] = [];
  readonly readies: Ready[] = [];

  constructor(config: RaftConfig, disk: StoredState) {
    this.disk = disk;
    this.node = new RaftNode(config, disk);
  }

  /** Carries out one Ready and returns the messages to send; undefined when there is nothing to do. */
  process(): readonly RaftMessage[] | undefined {
    const ready = this.node.ready();
    if (ready === undefined) return undefined;
    this.readies.push(ready);
    this.disk = write(this.disk, ready);
    this.node.advance();
    this.applied.push(...ready.committed);
    this.reads.push(...ready.reads);
    return ready.messages;
  }

  /** The log as `term/index` from the snapshot on. */
  get log(): string {
    return this.disk.entries.map((entry) => `${entry.term}/${entry.index}`).join(' ');
  }
}

/** Machines and the messages between them, moved only when a test says so. Every message crosses as bytes. */
export class RaftNetwork {
  readonly hosts = new Map<number, RaftHost>();
  flying: RaftMessage[] = [];

  /** The machines 1..n that all start from `disk`. */
  static of(count: number, overrides: Partial<RaftConfig> = {}): RaftNetwork {
    const network = new RaftNetwork();
    const numbers = Array.from({ length: count }, (_, position) => position + 1);
    for (const id of numbers) network.add(id, stored(voters(...numbers)), overrides);
    return network;
  }

  add(id: number, disk: StoredState, overrides: Partial<RaftConfig> = {}): RaftHost {
    const host = new RaftHost(raftConfig(id, overrides), disk);
    this.hosts.set(id, host);
    return host;
  }

  host(id: number): RaftHost {
    const host = this.hosts.get(id);
    if (host === undefined) throw new Error(`no machine ${id}`);
    return host;
  }

  node(id: number): RaftNode {
    return this.host(id).node;
  }

  tick(id: number, ticks = 1): void {
    for (let tick = 0; tick < ticks; tick++) this.node(id).tick();
  }

  propose(id: number, data: string): void {
    this.node(id).propose(bytes(data));
  }

  /** Carries out one Ready and returns what it sends, as {@link summary} says it. */
  process(id: number): readonly string[] {
    const messages = this.host(id).process() ?? [];
    this.flying.push(...messages);
    return messages.map(summary);
  }

  /** Hands over what is under way to `id`, and returns it. */
  deliver(id: number, accept: (message: RaftMessage) => boolean = () => true): readonly string[] {
    const isDelivered = (message: RaftMessage): boolean => message.to === id && accept(message);
    const delivered = this.flying.filter(isDelivered);
    this.flying = this.flying.filter((message) => !isDelivered(message));
    for (const message of delivered) this.node(id).step(parseRaftMessage(unpack(pack(message))));
    return delivered.map(summary);
  }

  /** Loses what is under way to these machines, or everything. */
  drop(...to: readonly number[]): readonly string[] {
    const isDropped = (message: RaftMessage): boolean => to.length === 0 || to.includes(message.to);
    const dropped = this.flying.filter(isDropped);
    this.flying = this.flying.filter((message) => !isDropped(message));
    return dropped.map(summary);
  }

  /** Lets these machines (or all) talk until none of them has anything left to do; returns all that they sent. */
  stabilize(...only: readonly number[]): readonly string[] {
    const chosen = only.length > 0 ? only : [...this.hosts.keys()];
    const sent: string[] = [];
    for (let round = 0; round < 1_000; round++) {
      const before = sent.length;
      let isQuiet = true;
      for (const id of chosen) {
        if (this.hosts.has(id) && this.deliver(id).length > 0) isQuiet = false;
        for (let messages = this.host(id).process(); messages !== undefined; messages = this.host(id).process()) {
          isQuiet = false;
          this.flying.push(...messages);
          sent.push(...messages.map(summary));
        }
      }
      if (isQuiet && sent.length === before) return sent;
    }
    throw new Error('the machines never come to rest');
  }

  /** Makes `id` the leader, whatever it takes, and lets everything settle. */
  elect(id: number, ...among: readonly number[]): void {
    for (const each of among.length > 0 ? among : [...this.hosts.keys()]) this.forgetLeader(each);
    this.node(id).campaign();
    this.stabilize(...among);
    const { role } = this.node(id).status();
    if (role !== 'leader') throw new Error(`${id} is ${role}`);
  }

  /** `id: state match=.. next=..` for every member, as the leader `id` sees it. */
  progress(id: number): readonly string[] {
    return this.node(id)
      .status()
      .followers.map((follower) => {
        const notes = [
          follower.isPaused ? ' paused' : '',
          follower.inflightCount > 0 ? ` inflight=${follower.inflightCount}` : '',
          follower.pendingSnapshot === undefined ? '' : ` snapshot=${follower.pendingSnapshot}`,
        ];
        return `${follower.id}: ${follower.state} match=${follower.match} next=${follower.next}${notes.join('')}`;
      });
  }

  roles(): readonly string[] {
    return [...this.hosts.values()].map(({ node }) => node.status().role);
  }

  /** A machine that has heard of no leader for so long that it would help another to become one. Its own campaign is lost. */
  private forgetLeader(id: number): void {
    const node = this.node(id);
    for (let tick = 0; tick < 10 && node.status().leader !== undefined; tick++) node.tick();
    while (this.host(id).process() !== undefined);
  }
}

/** A message on one line: `1->2 append@1 1/11 commit=11 [1/12]` is from 1 to 2, of term 1, after entry 11 of term 1. */
function summary(message: RaftMessage): string {
  return `${message.from}->${message.to} ${message.kind}@${message.term}${detail(message)}`;
}

function detail(message: RaftMessage): string {
  switch (message.kind) {
    case 'vote':
    case 'pre-vote':
      return ` ${message.lastTerm}/${message.lastIndex}`;
    case 'vote-reply':
    case 'pre-vote-reply':
      return message.granted ? ' granted' : ' refused';
    case 'append': {
      const entries = message.entries.map((entry) => `${entry.term}/${entry.index}`).join(' ');
      return ` ${message.previousTerm}/${message.previousIndex} commit=${message.commit} [${entries}]`;
    }
    case 'append-accepted':
      return ` ${message.index}`;
    case 'append-rejected':
      return ` ${message.rejectedIndex} hint=${message.hintTerm}/${message.hintIndex}`;
    case 'heartbeat':
      return ` commit=${message.commit}`;
    case 'snapshot':
      return ` ${message.snapshot.term}/${message.snapshot.index}`;
    case 'read-index-reply':
      return ` ${message.token}=${message.index}`;
    case 'read-index':
      return ` ${message.token}`;
    case 'heartbeat-reply':
    case 'propose':
    case 'stale-term':
      return '';
  }
}
