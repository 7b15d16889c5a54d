import type { Actor } from '../core/causality/dot.ts';
import type { Partition } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import { StoreError } from '../errors.ts';
import type { CatchUp } from './catch-up.ts';

/**
 * What this node may do with its partitions at present.
 *
 * Until its grant is known it applies what others send but does not coordinate writes, and reads wait: another start of it may have
 * lost what this folder lacks. With no metadata leader in sight a folder that is not empty may answer reads provisionally. A partition
 * that is catching up (rule C8) neither coordinates nor reads: what was acknowledged by a quorum may be missing here.
 */
export class Standing {
  private readonly catchUp: Pick<CatchUp, 'isOpen' | 'isOver'>;
  private granted: Actor | undefined;
  private provisional = false;
  /** Something that was written under the present grant was lost. */
  private isDoubted = false;
  private waiting = new Map<() => void, Partition>();

  constructor(catchUp: Pick<CatchUp, 'isOpen' | 'isOver'>) {
    this.catchUp = catchUp;
  }

  /** The actor to write as; undefined while the grant is not known. */
  get actor(): Actor | undefined {
    return this.granted;
  }

  /** The actor to coordinate writes of a partition as that this node owns; undefined while it may not. */
  actorOf(partition: Partition): Actor | undefined {
    return this.catchUp.isOpen(partition) ? undefined : this.granted;
  }

  /** Whether this node is as good a coordinator as any: it has its grant, and all of its data. */
  get isWhole(): boolean {
    return this.granted !== undefined && this.catchUp.isOver;
  }

  isReadable(partition: Partition): boolean {
    return this.mayRead && !this.catchUp.isOpen(partition);
  }

  /** Rule C8: what is here of the partition is not known to be all. */
  isCatchingUp(partition: Partition): boolean {
    return this.catchUp.isOpen(partition);
  }

  /** Whether what others write is taken in. */
  takesIn(partition: Partition): boolean {
    return this.granted !== undefined || !this.catchUp.isOpen(partition);
  }

  /** Reads are answered without a grant. */
  get isProvisional(): boolean {
    return this.provisional && this.granted === undefined;
  }

  /** How many reads wait for the grant. */
  get waitingReads(): number {
    return this.waiting.size;
  }

  /** Whether a partition that lacks nothing any more may be served: not as the actor whose last dots are not known here (H1). */
  get mayEndCatchUp(): boolean {
    return this.granted !== undefined && !this.isDoubted;
  }

  grant(actor: Actor): void {
    invariant(this.granted === undefined || this.granted < actor, 'grants ascend');
    this.granted = actor;
    this.isDoubted = false;
    this.release();
  }

  /** This process has forgotten a write of its own: partitions that catch up do so until the next grant at least. */
  doubt(): void {
    this.isDoubted = this.granted !== undefined;
  }

  /** The folder is no longer the one that has the grant. */
  revoke(): void {
    this.granted = undefined;
  }

  readProvisionally(): void {
    this.provisional = true;
    this.release();
  }

  /**
   * Runs the task at once, or when reads may be answered. Returns how to call it off, and whether it still waited: what nobody waits for
   * any more must not pile up. Errors, at once or in the task's place: not-ready for a partition that is catching up.
   */
  whenReadable(partition: Partition, task: () => void): () => boolean {
    if (this.catchUp.isOpen(partition)) {
      throw new StoreError('not-ready', `partition ${partition} is catching up with its other owners`, {
        retryable: true,
        retryAfterS: 1,
      });
    }
    if (this.mayRead) task();
    else this.waiting.set(task, partition);
    return () => this.waiting.delete(task);
  }

  get mayRead(): boolean {
    return this.granted !== undefined || this.provisional;
  }

  private release(): void {
    const tasks = this.waiting;
    this.waiting = new Map();
    // Whoever waits for a partition that turned out to lack something is told by the end of its time.
    for (const [task, partition] of tasks) if (!this.catchUp.isOpen(partition)) task();
  }
}
