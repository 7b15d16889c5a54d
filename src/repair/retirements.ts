import { ByteWriter } from '../core/bytes.ts';
import {
  type Agreement,
  agreementOf,
  type EndedWrites,
  equalPartitionDots,
  type PartitionDots,
  type Retirement,
  withinBytes,
} from '../core/causality/retirement.ts';
import { firstRaftId, type Member } from '../core/cluster/cluster-state.ts';
import type { Life } from '../core/cluster/command.ts';
import { logIndex, type MemberNumber } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import { COMMAND_BYTES_MAX } from '../membership/command-codec.ts';
import type { FailureDetector } from '../membership/failure-detector.ts';
import type { Clock, Logger, Random, Timer } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import { foldRetired } from '../replica/fold-retired.ts';
import type { Calls } from '../rpc/calls.ts';
import { RetiredHints } from './retired-hints.ts';
import { answerRetirement, type RetirementHandlerNeeds } from './retirement-handler.ts';
import {
  type RetirementAnswer,
  type RetirementRequest,
  readRetirementAnswer,
  writeRetirementRequest,
} from './retirement-messages.ts';
import { decoded } from './sync-messages.ts';

export interface RetirementsNeeds extends RetirementHandlerNeeds {
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly detector: FailureDetector;
  readonly isLeader: () => boolean;
  readonly propose: (retirement: Retirement & { readonly lives: readonly Life[] }, timeoutMs: number) => Promise<void>;
  /** Between two looks for actors to retire, give or take half of it. Left out: {@link LOOK_MS}. */
  readonly lookMs?: number | undefined;
}

/** Clocks grow by an entry per partition and restart: there is no hurry. */
const LOOK_MS = 30_000;
const CALL_MS = 5000;
/** Half of what a command may take. Beyond it the older ones of the actors go first. */
const ENTRIES_BYTES_MAX = COMMAND_BYTES_MAX / 2;

/**
 * Retires ended actors, for the whole cluster where this node leads the metadata group, and in this node's own clocks (rule C9).
 *
 * A leader looks for a member that has started again, asks every member what it holds of the actors before, and proposes their
 * retirement when all agree three times: before they promise to take in no more, as they promise, and when all have promised.
 * Anything that is not as it should be, a node that is away above all, means that nothing happens until the next look.
 *
 * Why not when they promise: a hint may reach a fallback that has not promised yet, and be brought to an owner that has. The owner
 * told of no such write, the fallback keeps it no more, and both agree without it. After all promises no hint can come to a
 * fallback, and one that was delivered before shows in its owner's clock.
 */
export class Retirements {
  private readonly needs: RetirementsNeeds;
  private timer: Timer | undefined;
  private isStopped = false;
  private readonly retiredHints: RetiredHints;
  /** Entries of ended actors that went from this node's clocks, since the start. */
  folded = 0;
  /** Retirements that this node has proposed and seen applied, since the start. */
  agreed = 0;

  constructor(needs: RetirementsNeeds) {
    this.needs = needs;
    this.retiredHints = new RetiredHints(needs);
  }

  start(): void {
    const { clock, random, lookMs = LOOK_MS } = this.needs;
    this.timer = clock.after(lookMs * (0.5 + random.next()), () => void this.look());
  }

  stop(): void {
    this.isStopped = true;
    this.timer?.cancel();
    this.retiredHints.stop();
  }

  /** Of what has been retired: the clocks fold it, and hints that can only be repetitions go. Errors: storage-failed. */
  fold(): void {
    const { store, self, currentView } = this.needs;
    const view = currentView();
    if (view === undefined || this.isStopped) return;
    this.folded += foldRetired(store, view, self);
    this.retiredHints.discard(view.state.retirements);
  }

  /** Entries of the clocks of all partitions that this node owns: what every answer and every write carries, in all. */
  clockEntries(): number {
    const { store, self, currentView } = this.needs;
    const partitions = currentView()?.partitionsOf(self) ?? [];
    return partitions.reduce((sum, partition) => sum + store.clock(partition).length, 0);
  }

  private async look(): Promise<void> {
    try {
      const view = this.needs.currentView();
      if (view !== undefined && this.needs.isLeader() && this.areAllUp(view)) {
        for (const member of view.state.members) if (hasEnded(view, member)) await this.retire(view, member);
      }
    } catch (error) {
      // A broken store or invariant ends the process by itself; the next look tries again.
      if (!(error instanceof StoreError)) throw error;
      this.needs.logger.info({ reason: error.message }, 'ended actors were not retired');
    } finally {
      if (!this.isStopped) this.start();
    }
  }

  private areAllUp({ state }: ClusterView): boolean {
    const { self, detector, clock } = this.needs;
    const nowMs = clock.monotonicMs();
    return state.members.every(({ id, state: is }) => is === 'active' && (id === self || detector.isUp(id, nowMs)));
  }

  private async retire(view: ClusterView, { number: member, grant, id }: Member): Promise<void> {
    const { logger } = this.needs;
    const ended = logIndex(grant - 1);
    const asked = await this.agree(view, { member, floor: ended, entries: undefined });
    if (asked === undefined) return;
    const within = withinBytes({ member, floor: ended, entries: asked }, ENTRIES_BYTES_MAX);
    if (within === undefined)
      return logger.info({ member: id }, 'an ended actor was not retired: its entries are too large');
    const { floor, entries } = within;
    for (const promise of [entries, undefined]) {
      const told = await this.agree(view, { member, floor, entries: promise });
      if (told === undefined || !equalPartitionDots(told, entries) || this.isStopped) return;
    }
    const lives = view.state.members.map((one) => ({ member: one.number, grant: one.grant }));
    await this.needs.propose({ member, floor, entries, lives }, CALL_MS);
    this.agreed++;
    logger.info({ member: id, floor }, 'ended actors retired');
  }

  /** What all owners hold of the actors, and nobody keeps anything else; undefined when it is not so. */
  private async agree(view: ClusterView, request: RetirementRequest): Promise<PartitionDots | undefined> {
    const { members, ownership } = view.state;
    const answers = await Promise.all(members.map((member) => this.ask(member, request)));
    const told = new Map<MemberNumber, EndedWrites>();
    for (const [i, { id, number, grant }] of members.entries()) {
      const answer = answers[i];
      if (answer?.kind !== 'told' || answer.epoch !== view.epoch || answer.grant !== grant) {
        const reason = answer?.kind === 'refused' ? answer.reason : 'no answer, or one of another start or epoch';
        this.needs.logger.debug({ member: id, reason }, 'no agreement about ended actors');
        return undefined;
      }
      told.set(number, answer);
    }
    const agreement = agreementOf(
      told,
      ownership.map(({ owners }) => owners),
    );
    return this.entriesOf(agreement);
  }

  private entriesOf(agreement: Agreement): PartitionDots | undefined {
    if (agreement.kind === 'agreed') return agreement.entries;
    this.needs.logger.debug({ ...agreement }, 'no agreement about ended actors');
    return undefined;
  }

  private async ask({ id }: Member, request: RetirementRequest): Promise<RetirementAnswer | undefined> {
    if (this.isStopped) return undefined;
    if (id === this.needs.self) return answerRetirement(this.needs, request);
    const out = new ByteWriter();
    writeRetirementRequest(out, request);
    const outcome = await this.needs.calls.request(id, METHOD.retirement, out.view(), CALL_MS);
    return outcome.kind === 'reply' ? decoded(() => readRetirementAnswer(outcome.body)) : undefined;
  }
}

/** Whether the member has started more than once since its last retirement. Who was readmitted has, though its starts count anew. */
function hasEnded({ state }: ClusterView, { number, grant, starts, raft }: Member): boolean {
  const retired = state.retirements.get(number);
  return retired === undefined ? starts.length > 1 || raft !== firstRaftId(number) : grant > retired.floor + 1;
}
