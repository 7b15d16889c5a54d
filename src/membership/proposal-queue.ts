import type { CommandResult } from '../core/cluster/cluster-state.ts';
import type { Command } from '../core/cluster/command.ts';
import { StoreError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { encodeCommand } from './command-codec.ts';

const PROPOSE_AGAIN_MS = 1000;

interface Waiter {
  readonly command: Command;
  readonly bytes: Uint8Array;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: Error) => void;
  readonly deadlineMs: number;
  proposedMs: number;
}

/**
 * This node's own proposals, until they are applied or their time is up.
 *
 * One at a time is under way, in the order in which they were made. The state takes the proposals of a session only in ascending
 * order (R10): were two under way and the first one lost, the second would be applied, and the first, repeated, be refused although
 * it never took effect.
 */
export class ProposalQueue {
  private readonly clock: Clock;
  private readonly waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Resolves with what applying the command gave. Errors: no-leader when it was not applied within the time; it may still be. */
  add(command: Command, timeoutMs: number): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const deadlineMs = this.clock.monotonicMs() + timeoutMs;
      const bytes = encodeCommand(command);
      this.waiters.add({ command, bytes, resolve, reject, deadlineMs, proposedMs: Number.NEGATIVE_INFINITY });
    });
  }

  /** Hands the oldest to `propose` unless that was done a moment ago. `propose` says whether it took it. */
  proposeDue(propose: (bytes: Uint8Array) => boolean): void {
    const [first] = this.waiters;
    const nowMs = this.clock.monotonicMs();
    if (first === undefined || nowMs - first.proposedMs < PROPOSE_AGAIN_MS) return;
    if (propose(first.bytes)) first.proposedMs = nowMs;
  }

  /** The command was applied, whoever proposed it. */
  applied(command: Command, result: CommandResult): void {
    for (const waiter of this.waiters) {
      if (!isSame(waiter.command, command)) continue;
      this.waiters.delete(waiter);
      waiter.resolve(result);
    }
  }

  /** Fails those whose time is up. */
  expire(): void {
    const nowMs = this.clock.monotonicMs();
    this.fail(({ deadlineMs }) => nowMs >= deadlineMs, 'the metadata group has no leader, or did not answer in time');
  }

  stop(): void {
    this.fail(() => true, 'this node stops');
  }

  private fail(which: (waiter: Waiter) => boolean, reason: string): void {
    for (const waiter of this.waiters) {
      if (!which(waiter)) continue;
      this.waiters.delete(waiter);
      waiter.reject(new StoreError('no-leader', reason, { retryable: true, retryAfterS: 1 }));
    }
  }
}

/** Whether an applied command is the proposal that is waited for: each carries what names it. */
function isSame(mine: Command, applied: Command): boolean {
  if (mine.kind === 'grant')
    return applied.kind === 'grant' && mine.member === applied.member && mine.start === applied.start;
  if (mine.kind === 'readmit')
    return applied.kind === 'readmit' && mine.member === applied.member && mine.store === applied.store;
  if (!('origin' in mine && 'origin' in applied)) return false;
  const { member, start, sequence } = mine.origin;
  const other = applied.origin;
  return member === other.member && start === other.start && sequence === other.sequence;
}
