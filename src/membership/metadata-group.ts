import { pack, unpack } from 'msgpackr';
import { type ByteReader, DecodeError } from '../core/bytes.ts';
import { applyCommand } from '../core/cluster/apply-command.ts';
import type { ClusterState, CommandResult } from '../core/cluster/cluster-state.ts';
import type { Command } from '../core/cluster/command.ts';
import type { LogIndex, NodeId } from '../core/ids.ts';
import type { RaftMessage } from '../core/raft/message.ts';
import { parseRaftMessage } from '../core/raft/parse-message.ts';
import { RaftNode } from '../core/raft/raft-node.ts';
import type { ConfirmedRead } from '../core/raft/read-rounds.ts';
import type { Entry, RaftId, Snapshot, StoredState } from '../core/raft/types.ts';
import { FatalError, StoreError } from '../errors.ts';
import type { Clock, Logger, Random, Store, Timer } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Calls } from '../rpc/calls.ts';
import { decodeCommand, decodeState, encodeCommand, encodeState } from './command-codec.ts';
import { METADATA_LOG, type MetadataLogLimits } from './metadata-log-limits.ts';
import { ProposalQueue } from './proposal-queue.ts';
import type { RaftStorage } from './raft-storage.ts';

export interface MetadataGroupOptions {
  readonly self: NodeId;
  /** Who takes part, by Raft id. */
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
  private readonly reads = new Map<string, (isCaughtUp: boolean) => void>();
  /** Confirmed, but not yet applied up to their index. */
  private confirmedReads: ConfirmedRead[] = [];
  private readCount = 0;
  private creationTicks = 0;
  private ticks = 0;
  private timer: Timer | undefined;
  private isPumping = false;
  private isStopped = false;

  constructor(options: MetadataGroupOptions, self: RaftId, stored: StoredState) {
    this.options = options;
    this.proposals = new ProposalQueue(options.clock);
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
  }

  get currentState(): ClusterState | undefined {
    return this.state;
  }

  /** The leader as this node knows it. */
  get leader(): NodeId | undefined {
    const { leader } = this.raft.status();
    return leader === undefined ? undefined : this.options.nodes.get(leader);
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
    for (const answer of this.reads.values()) answer(false);
    this.reads.clear();
  }

  /** What was under way to the node may be lost: a snapshot, above all, that it would never ask for again. */
  disconnected(node: NodeId): void {
    for (const [id, name] of this.options.nodes) {
      if (name !== node) continue;
      this.raft.reportSnapshot(id, false);
      this.raft.reportUnreachable(id);
    }
  }

  /** A message of another node's machine. Errors: DecodeError. */
  received(from: NodeId, body: ByteReader): void {
    const message = parseRaftMessage(unpackMessage(body.rest()));
    if (this.options.nodes.get(message.from) !== from)
      throw new DecodeError(`${from} speaks for raft id ${message.from}`);
    if (this.isStopped) return;
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
  catchUp(timeoutMs: number): Promise<boolean> {
    const token = `${this.options.self}/${this.readCount++}/${Math.floor(this.options.random.next() * 2 ** 48)}`;
    if (this.isStopped || this.raft.readIndex(token).kind === 'refused') return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = this.options.clock.after(timeoutMs, () => this.answerRead(token, false));
      this.reads.set(token, (isCaughtUp) => {
        timer.cancel();
        resolve(isCaughtUp);
      });
      this.pump();
    });
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
    if (role === 'leader' && this.state === undefined) this.proposeCreation();
    this.proposals.expire();
    this.proposeDue();
    this.pump();
  }

  private halt(): void {
    this.stop();
    this.options.onFatal(
      new FatalError(
        'the metadata log of this data folder is shorter than what was acknowledged from it: the folder is an older copy, or was damaged. Restore the latest one, or wait for a release that rebuilds it from the other nodes',
      ),
    );
  }

  private proposeCreation(): void {
    if (this.creationTicks++ % ELECTION_TICKS === 0) this.raft.propose(encodeCommand(this.options.creation()));
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
      this.confirmedReads.push(...ready.reads);
      this.answerReads();
      this.compact();
    }
    this.isPumping = false;
  }

  private send(message: RaftMessage): void {
    const to = this.options.nodes.get(message.to);
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

  private apply({ index, data }: Entry): void {
    this.appliedIndex = index;
    if (data.length === 0) return;
    const command = this.decode(data, index);
    if (command === undefined) return;
    const { state, result } = applyCommand(this.state, command, index);
    if (result.kind === 'refused')
      this.options.logger.debug({ command: command.kind, ...result, index }, 'command refused');
    this.become(state);
    this.proposals.applied(command, result);
  }

  /** What no release understands changes nothing, on every node alike. */
  private decode(data: Uint8Array, index: LogIndex): Command | undefined {
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
    this.state = state;
    if (state !== undefined) this.options.onState(state);
  }

  /** A confirmation may overtake the entries that it speaks of: the read waits until they are applied. */
  private answerReads(): void {
    const confirmed = this.confirmedReads;
    this.confirmedReads = confirmed.filter(({ index }) => index > this.appliedIndex);
    for (const { token, index } of confirmed) if (index <= this.appliedIndex) this.answerRead(token, true);
  }

  private answerRead(token: string, isCaughtUp: boolean): void {
    this.reads.get(token)?.(isCaughtUp);
    this.reads.delete(token);
  }

  private compact(): void {
    const { compactAfter, kept } = this.options.metadataLog ?? METADATA_LOG;
    if (this.appliedIndex - this.compactedIndex < compactAfter) return;
    const snapshot = this.raft.compact(this.appliedIndex, encodeState(this.state), kept);
    this.compactedIndex = this.appliedIndex;
    if (snapshot !== undefined) this.options.storage.compact(snapshot, this.raft.status().firstIndex);
  }
}

function unpackMessage(bytes: Uint8Array): unknown {
  try {
    return unpack(bytes);
  } catch (error) {
    throw new DecodeError(`not msgpack: ${error instanceof Error ? error.message : String(error)}`);
  }
}
