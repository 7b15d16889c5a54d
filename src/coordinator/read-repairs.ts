import { ByteWriter, DecodeError } from '../core/bytes.ts';
import type { NodeId } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Standing } from '../membership/standing.ts';
import type { Clock, Store } from '../ports.ts';
import { METHOD, type ReplicateRequest, writeReplicateRequest } from '../protocol.ts';
import type { DurabilityOf } from '../replica/durability-of.ts';
import type { EndedActors } from '../replica/ended-actors.ts';
import type { Replica } from '../replica/replica.ts';
import type { Calls } from '../rpc/calls.ts';

export interface ReadRepairsNeeds {
  readonly self: NodeId;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly store: Store;
  readonly replica: Replica;
  readonly ended: EndedActors;
  readonly standing: Pick<Standing, 'takesIn'>;
  readonly durability: DurabilityOf;
}

/** Counters since the start. */
export interface ReadRepairsStats {
  readonly sent: number;
  readonly failed: number;
  /** Not sent, since too many were under way. */
  readonly dropped: number;
  /** Sent before the read was answered, since too few owners had what it shows. */
  readonly writtenBack: number;
}

/** Undefined: the owner has it, durably. Else why not, for a person. */
export type BringDone = (failure: string | undefined) => void;

const RUNNING_MAX = 256;
const TIMEOUT_MS = 2000;

const message = new ByteWriter();

/**
 * Brings what a read has merged to the replicas that were behind. Each is a merge at the replica, never an overwrite, and carries the
 * epoch of the read (H12); what it spreads was durable at its sources, since answers to reads wait for that (C7).
 */
export class ReadRepairs {
  private readonly needs: ReadRepairsNeeds;
  private running = 0;
  private isStopped = false;
  private sent = 0;
  private failed = 0;
  private dropped = 0;
  private writtenBack = 0;

  constructor(needs: ReadRepairsNeeds) {
    this.needs = needs;
  }

  /** Once the read has been answered: nobody waits for it. */
  repairLater(owners: readonly NodeId[], update: ReplicateRequest): void {
    this.needs.clock.after(0, () => {
      if (!this.isStopped) for (const owner of owners) this.repair(owner, update);
    });
  }

  /** To be called before the store is closed. */
  stop(): void {
    this.isStopped = true;
  }

  /** Over the limit it is dropped, and left to the next read and to anti-entropy. */
  private repair(owner: NodeId, update: ReplicateRequest): void {
    if (this.running >= RUNNING_MAX) {
      this.dropped++;
      return;
    }
    this.running++;
    this.sent++;
    this.bring(owner, update, TIMEOUT_MS, (failure) => {
      this.running--;
      if (failure !== undefined) this.failed++;
    });
  }

  /** Before the answer (H11). At this node itself `done` may be called at once. */
  writeBack(owner: NodeId, update: ReplicateRequest, timeoutMs: number, done: BringDone): void {
    this.writtenBack++;
    this.bring(owner, update, timeoutMs, done);
  }

  stats(): ReadRepairsStats {
    const { sent, failed, dropped, writtenBack } = this;
    return { sent, failed, dropped, writtenBack };
  }

  private bring(owner: NodeId, update: ReplicateRequest, timeoutMs: number, done: BringDone): void {
    if (owner === this.needs.self) return this.mergeHere(update, done);
    writeReplicateRequest(message.reset(), update);
    this.needs.calls.call(owner, METHOD.replicate, message.view(), timeoutMs, (outcome) => {
      if (outcome.kind === 'reply') done(undefined);
      else done(outcome.kind === 'failed' ? outcome.reason : outcome.message);
    });
  }

  private mergeHere(update: ReplicateRequest, done: BringDone): void {
    const { replica, store, ended, standing, durability } = this.needs;
    if (this.isStopped) return done('this node stops');
    try {
      replica.ownership.check(update);
      if (!standing.takesIn(update.partition)) return done('this node has lost its data, and has no grant yet');
      ended.check(update);
      if (store.overloaded) return done('writes come faster than the disk takes them');
      const sequence = replica.merge(update);
      if (sequence === 0) return done(undefined);
      store.durable(sequence, durability(update.epoch)).then(
        () => done(undefined),
        (error: unknown) => done(error instanceof Error ? error.message : String(error)),
      );
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof DecodeError)) throw error;
      done(error.message);
    }
  }
}
