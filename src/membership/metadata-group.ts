import { pack } from 'msgpackr';
import { type ByteReader, DecodeError } from '../core/bytes.ts';
import { applyCommand } from '../core/cluster/apply-command.ts';
import type { ClusterState, CommandResult } from '../core/cluster/cluster-state.ts';
import type { Command } from '../core/cluster/command.ts';
import { nextConfiguration } from '../core/cluster/metadata-configuration.ts';
import type { LogIndex, NodeId } from '../core/ids.ts';
import type { RaftMessage } from '../core/raft/message.ts';
import { parseRaftMessage } from '../core/raft/parse-message.ts';
import { RaftNode } from '../core/raft/raft-node.ts';
import type { Entry, RaftId, Snapshot, StoredState } from '../core/raft/types.ts';
import { StoreError } from '../errors.ts';
import type { Clock, Logger, Random, Store, Timer } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Calls } from '../rpc/calls.ts';
import { decodeCommand, decodeState, encodeCommand, encodeState, unpackOrFail } from './command-codec.ts';
import { FreshReads } from './fresh-reads.ts';
import { type KnownStart, latestStartOf } from './latest-folder.ts';
import { METADATA_LOG, type MetadataLogLimits } from './metadata-log-limits.ts';
import { ProposalQueue } from './proposal-queue.ts';
import type { RaftStorage } from './raft-storage.ts';
import { Voices } from './voices.ts';

export interface MetadataGroupOptions {
  readonly self: NodeId;
  /** Who takes part, by Raft id, as far as it is known before the cluster state is. */
  readonly nodes: ReadonlyMap<RaftId, NodeId>;
  readonly calls: Calls;
  readonly store: Store;
  readonly storage: RaftStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Called with every new state, in order. */
  readonly onState: (state: ClusterState) => void;
  /** What the leader proposes when there is no cluster yet. */
  readonly creation: () => Command;
  readonly onFatal: (error: Error) => void;
  /** The log is shorter than what was acknowledged from it: this voice is lost (R3). The group has stopped. */
  readonly onLostLog: () => void;
  readonly metadataLog: MetadataLogLimits | undefined;
}

export const TICK_MS = 100;
const ELECTION_TICKS = 10;
/** Ticks after the start during which the first voter campaigns at once: pre-vote keeps it from disturbing a leader. */
const EAGER_TICKS = 20;

/**
 * Drives the Raft machine and the cluster state on top of it: writes and flushes what the machine says before anything is sent
 * that depends on it, applies what is committed, and sees this node's own proposals through.
 *
 * A proposal is repeated until it is applied or its time is up: it may be lost on the way to the leader or with it. The state
 * applies it once (R10).
 */
export class MetadataGroup {
  private readonly options: MetadataGroupOptions;
  private readonly raft: RaftNode;
  private state: ClusterState | undefined;
  private appliedIndex: LogIndex;
  private compactedIndex: LogIndex;
  private readonly proposals: ProposalQueue;
  /** Who speaks under which Raft id: a member that is readmitted gets another. */
  private readonly voices: Voices;
  private readonly reads: FreshReads;
  private creationTicks = 0;
  private ticks = 0;
  private timer: Timer | undefined;
  private isPumping = false;
  isStopped = false;

  constructor(options: MetadataGroupOptions, self: RaftId, stored: StoredState) {
    this.options = options;
    this.proposals = new ProposalQueue(options.clock);
    this.reads = new FreshReads(options);
    this.voices = new Voices(options.nodes);
    this.raft = new RaftNode(
      {
        id: self,
        electionTicks: ELECTION_TICKS,
        heartbeatTicks: 1,
        random: () => options.random.next(),
        appendBytesMax: 1024 * 1024,
        inflightAppendsMax: 64,
        uncommittedBytesMax: 16 * 1024 * 1024,
        pendingReadsMax: 1024,
      },
      stored,
    );
    this.state = stored.snapshot.data.length === 0 ? undefined : decodeState(stored.snapshot.data);
    this.appliedIndex = stored.snapshot.index;
    this.compactedIndex = stored.snapshot.index;
    if (this.state !== undefined) this.voices.learn(this.state);
  }

  get id(): RaftId {
    return this.raft.id;
  }

  get currentState(): ClusterState | undefined {
    return this.state;
  }

  /** The leader as this node knows it. */
  get leader(): NodeId | undefined {
    const { leader } = this.raft;
    return leader === undefined ? undefined : this.voices.nodeOf(leader);
  }

  get metrics(): {
    readonly term: number;
    readonly commit: number;
    readonly applied: number;
    readonly isLeader: boolean;
  } {
    const { term, commit, applied, role } = this.raft.status();
    return { term, commit, applied, isLeader: role === 'leader' };
  }

  start(): void {
    if (this.state !== undefined) this.options.onState(this.state);
    this.scheduleTick();
    this.pump();
  }

  /** Fails what waits; nothing is sent or applied any more. */
  stop(): void {
    this.isStopped = true;
    this.timer?.cancel();
    this.proposals.stop();
    this.reads.stop();
  }

  /** What was under way to the node may be lost: a snapshot, above all, that it would never ask for again. */
  disconnected(node: NodeId): void {
    const id = this.voices.voiceOf(node);
    if (id === undefined) return;
    this.raft.reportSnapshot(id, false);
    this.raft.reportUnreachable(id);
  }

  /** A message of another node's machine. Errors: DecodeError. */
  received(from: NodeId, body: ByteReader): void {
    const message = parseRaftMessage(unpackOrFail(body.rest()));
    if (this.isStopped || !this.voices.hear(from, message.from)) return;
    this.raft.step(message);
    this.pump();
  }

  /** Resolves with what applying the command gave. Errors: no-leader when it was not applied within the time; it may still be. */
  propose(command: Command, timeoutMs: number): Promise<CommandResult> {
    if (this.isStopped) return Promise.reject(new StoreError('no-leader', 'this node stops'));
    const result = this.proposals.add(command, timeoutMs);
    this.proposeDue();
    this.pump();
    return result;
  }

  /** Resolves once this node has applied all that was committed when it was asked (R11: no leases). False: no leader in time. */
  refresh(timeoutMs: number): Promise<boolean> {
    if (this.isStopped) return Promise.resolve(false);
    const answer = this.reads.begin((token) => this.raft.readIndex(token).kind !== 'refused', timeoutMs);
    this.pump();
    return answer;
  }

  private scheduleTick(): void {
    this.timer = this.options.clock.after(TICK_MS, () => {
      this.scheduleTick();
      this.tick();
    });
  }

  private tick(): void {
    this.raft.tick();
    this.ticks++;
    const { leader, configuration, id, role, isHalted } = this.raft.status();
    if (isHalted) return this.halt();
    if (leader === undefined && this.ticks <= EAGER_TICKS && id === Math.min(...configuration.voters))
      this.raft.campaign();
    if (role === 'leader') this.lead();
    this.proposals.expire();
    this.proposeDue();
    this.pump();
  }

  private halt(): void {
    this.stop();
    this.options.onLostLog();
  }

  /** What only the leader proposes: the cluster's creation, and the next step towards the configuration that its members call for. */
  private lead(): void {
    if (this.state === undefined) {
      if (this.creationTicks++ % ELECTION_TICKS === 0) this.raft.propose(encodeCommand(this.options.creation()));
      return;
    }
    const { commit, followers } = this.raft.status();
    const isCaughtUp = (learner: RaftId): boolean =>
      followers.some(({ id, match, recentlyActive }) => id === learner && recentlyActive && match >= commit);
    const to = nextConfiguration(this.state, isCaughtUp);
    if (to === undefined) return;
    const outcome = this.raft.proposeReconfiguration(
      encodeCommand({ kind: 'reconfigure', from: this.state.metadata, to }),
    );
    if (outcome.kind === 'appended') this.options.logger.info(to, 'the metadata group changes');
  }

  /** The latest start of the node in this log: after a start of all nodes none of them knows yet what of its log is committed. */
  latestStart(node: NodeId): KnownStart | undefined {
    const commands = this.raft.unapplied().map((entry) => ({ ...entry, command: this.commandOf(entry) }));
    return latestStartOf(this.state, commands, node);
  }

  private proposeDue(): void {
    this.proposals.proposeDue((bytes) => this.raft.propose(bytes).kind !== 'refused');
  }

  /** Starts the work that the machine has, unless it is under way. */
  private pump(): void {
    if (this.isPumping || this.isStopped) return;
    this.isPumping = true;
    this.drain().catch((error: unknown) => {
      if (!this.isStopped) this.options.onFatal(error instanceof Error ? error : new Error(String(error)));
    });
  }

  /** After an error the machine is left as it is: what it promised may not be on disk. */
  private async drain(): Promise<void> {
    for (let ready = this.raft.ready(); ready !== undefined && !this.isStopped; ready = this.raft.ready()) {
      const sequence = this.options.storage.save(ready);
      if (ready.mustFlush) await this.options.store.durable(sequence, 'flush');
      if (this.isStopped) return;
      this.raft.advance();
      for (const message of ready.messages) this.send(message);
      if (ready.snapshot !== undefined) this.install(ready.snapshot);
      for (const entry of ready.committed) this.apply(entry);
      this.proposeDue();
      this.reads.confirmed(ready.reads, this.appliedIndex);
      this.compact();
    }
    this.isPumping = false;
  }

  private send(message: RaftMessage): void {
    const to = this.voices.nodeOf(message.to);
    if (to === undefined || this.options.calls.notify(to, METHOD.raft, pack(message))) return;
    if (message.kind === 'snapshot') this.raft.reportSnapshot(message.to, false);
    else this.raft.reportUnreachable(message.to);
  }

  private install(snapshot: Snapshot): void {
    this.options.logger.info({ index: snapshot.index }, 'metadata snapshot installed');
    this.appliedIndex = snapshot.index;
    this.compactedIndex = snapshot.index;
    this.become(snapshot.data.length === 0 ? undefined : decodeState(snapshot.data));
  }

  private apply(entry: Entry): void {
    const { index } = entry;
    this.appliedIndex = index;
    const command = this.commandOf(entry);
    if (command === undefined) return;
    const { state, result } = applyCommand(this.state, command, index);
    if (result.kind === 'refused')
      this.options.logger.debug({ command: command.kind, ...result, index }, 'command refused');
    this.become(state);
    this.proposals.applied(command, result);
  }

  /** Undefined when the entry only begins a term. What no release understands changes nothing either, on every node alike. */
  private commandOf({ index, data }: Entry): Command | undefined {
    if (data.length === 0) return undefined;
    try {
      return decodeCommand(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.options.logger.error({ index, reason: error.message }, 'an entry of the metadata log is no command');
      return undefined;
    }
  }

  private become(state: ClusterState | undefined): void {
    if (state === this.state) return;
    const before = this.state?.metadata;
    this.state = state;
    if (state === undefined) return;
    this.voices.learn(state);
    if (state.metadata !== before) this.raft.reconfigure({ ...state.metadata, outgoing: [] });
    this.options.onState(state);
  }

  private compact(): void {
    const { compactAfter, kept } = this.options.metadataLog ?? METADATA_LOG;
    if (this.appliedIndex - this.compactedIndex < compactAfter) return;
    const snapshot = this.raft.compact(this.appliedIndex, encodeState(this.state), kept);
    this.compactedIndex = this.appliedIndex;
    if (snapshot !== undefined) this.options.storage.compact(snapshot, this.raft.status().firstIndex);
  }
}
