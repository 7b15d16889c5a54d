import type { Actor } from '../core/causality/dot.ts';
import { invariant } from '../core/invariant.ts';

/**
 * What this node may do with its partitions at present.
 *
 * Until its grant is known it applies what others send but does not coordinate writes, and reads wait: another start of it may have
 * lost what this folder lacks. With no metadata leader in sight a folder that is not empty may answer reads provisionally.
 */
export class Standing {
  private granted: Actor | undefined;
  private provisional = false;
  private waiting = new Set<() => void>();

  /** The actor to write as; undefined while the grant is not known. */
  get actor(): Actor | undefined {
    return this.granted;
  }

  get readable(): boolean {
    return this.granted !== undefined || this.provisional;
  }

  /** Reads are answered without a grant. */
  get isProvisional(): boolean {
    return this.provisional && this.granted === undefined;
  }

  /** How many wait for {@link readable}. */
  get waitingReads(): number {
    return this.waiting.size;
  }

  grant(actor: Actor): void {
    invariant(this.granted === undefined || this.granted < actor, 'grants ascend');
    this.granted = actor;
    this.release();
  }

  readProvisionally(): void {
    this.provisional = true;
    this.release();
  }

  /** Runs the task at once, or when reads may be answered. Returns how to call it off, and whether it still waited: what nobody waits for any more must not pile up. */
  whenReadable(task: () => void): () => boolean {
    if (this.readable) task();
    else this.waiting.add(task);
    return () => this.waiting.delete(task);
  }

  private release(): void {
    const tasks = this.waiting;
    this.waiting = new Set();
    for (const task of tasks) task();
  }
}
