import type { ObjectKey } from '../core/ids.ts';
import type { StoreError } from '../errors.ts';
import type { Clock, Logger, Sequence } from '../ports.ts';
import { firstOf } from './first-of.ts';
import { keyInName } from './hint-record.ts';

interface Damaged {
  readonly name: string;
  /** Of the last change of the hint; 0: before this life of the process. */
  readonly sequence: Sequence;
}

/** What cannot be read for so long is damaged: a disk that fails now and then has been read by then. */
const UNREADABLE_MS = 60_000;
/** Between two looks at those that were set aside, and how many are looked at in one. */
const RECHECK_MS = 1000;
const RECHECKED_MAX = 100;
/** What follows is counted only: a disk that fails must not fill the log. */
const LOGGED_MAX = 100;

/**
 * Hints whose record could not be read, by the names of the records. They may hold the only copy of a write that counted: so they are
 * logged and counted, and their bytes stay.
 */
export class DamagedHints {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly keys = new Map<ObjectKey, Map<string, Damaged>>();
  private size = 0;
  private logged = 0;
  private lastFoundMs = 0;
  private recheckAtMs = 0;

  constructor(clock: Clock, logger: Logger) {
    this.clock = clock;
    this.logger = logger;
  }

  get count(): number {
    return this.size;
  }

  /** Some were found so lately that they may be read yet. */
  get mayBeReadLater(): boolean {
    return this.size > 0 && this.clock.monotonicMs() - this.lastFoundMs < UNREADABLE_MS;
  }

  has(name: string, key: ObjectKey): boolean {
    return this.keys.get(key)?.has(name) === true;
  }

  /** Whether one of the key's hints is among them, for whomever. */
  hasAny(key: ObjectKey): boolean {
    return this.keys.has(key);
  }

  note(name: string, sequence: Sequence, error: StoreError): void {
    const key = keyInName(name);
    const damaged = this.keys.get(key) ?? new Map<string, Damaged>();
    this.keys.set(key, damaged.set(name, { name, sequence }));
    this.size++;
    this.lastFoundMs = this.clock.monotonicMs();
    this.recheckAtMs = Math.max(this.recheckAtMs, this.lastFoundMs + RECHECK_MS);
    if (this.logged++ < LOGGED_MAX) this.logger.error({ record: name, reason: error.message }, HINT_SET_ASIDE);
  }

  mended(name: string): void {
    const key = keyInName(name);
    const damaged = this.keys.get(key);
    if (damaged?.delete(name) !== true) return;
    if (damaged.size === 0) this.keys.delete(key);
    this.size--;
    if (this.logged <= LOGGED_MAX) this.logger.warn({ record: name }, 'a hint can be read after all');
  }

  /** Those whose turn it is to be looked at again. */
  due(): readonly Damaged[] {
    const nowMs = this.clock.monotonicMs();
    if (this.size === 0 || nowMs < this.recheckAtMs) return [];
    this.recheckAtMs = nowMs + RECHECK_MS;
    const due = firstOf(this.keys, RECHECKED_MAX);
    for (const [key, damaged] of due) {
      // To the end, so that all have their turn.
      this.keys.delete(key);
      this.keys.set(key, damaged);
    }
    return due.flatMap(([, damaged]) => [...damaged.values()]);
  }
}

/** As the log says it. */
export const HINT_SET_ASIDE = 'a hint cannot be read: what it holds for its owner is kept back';
