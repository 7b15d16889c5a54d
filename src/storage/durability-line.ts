import type { Sequence } from '../ports.ts';

/**
 * How far the log is durable at one level, and who waits for more. All who wait for one step share one promise.
 *
 * Every waiter asks for a sequence that exists, and a step covers all that exist when it begins. So those who came before a step
 * began are served by it, and only those who come during it with a later sequence wait for the next one.
 */
export class DurabilityLine {
  /** Every change up to here is durable. */
  through: Sequence;
  private target: Sequence;
  private current: Deferred | undefined;
  private next: Deferred | undefined;
  private failure: Error | undefined;

  constructor(through: Sequence) {
    this.through = through;
    this.target = through;
  }

  /** Whether somebody waits for a step that has not begun. */
  get waited(): boolean {
    return this.next !== undefined;
  }

  wait(sequence: Sequence): Promise<void> {
    if (sequence <= this.through) return DONE;
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (sequence <= this.target) {
      this.current ??= deferred();
      return this.current.promise;
    }
    this.next ??= deferred();
    return this.next.promise;
  }

  /** A step to `target` begins: whoever waited for one waits for this. */
  begin(target: Sequence): void {
    this.target = target;
    this.current = this.next;
    this.next = undefined;
  }

  finish(): void {
    this.through = this.target;
    this.current?.resolve();
    this.current = undefined;
  }

  /** Nothing further becomes durable. */
  fail(error: Error): void {
    this.failure = error;
    this.current?.reject(error);
    this.next?.reject(error);
    this.current = undefined;
    this.next = undefined;
  }
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const DONE: Promise<void> = Promise.resolve();

function deferred(): Deferred {
  let resolve = (): void => {};
  let reject = (_error: Error): void => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
