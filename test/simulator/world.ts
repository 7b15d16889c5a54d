import { mix } from './chance.ts';
import { Turns } from './turns.ts';

export interface Cancellable {
  cancel(): void;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly label: number;
  task: (() => void) | undefined;
}

/**
 * Virtual time: one heap of events. The earliest runs, then every promise continuation that it set free, then time moves on.
 * Nothing else drives the cluster, so that the same plan gives the same run; {@link World.hash} says whether it did.
 */
export class World {
  readonly seed: number;
  private readonly heap: Event[] = [];
  private readonly turns = new Turns();
  private order = 0;
  private eventHash = 0;
  private time = 0;
  /** Events run so far. */
  events = 0;
  /** Called after each event, when all that it set free has run. */
  afterEvent: (() => void) | undefined;

  constructor(seed: number) {
    this.seed = seed;
  }

  get nowMs(): number {
    return this.time;
  }

  /** Of the times and labels of all events so far. */
  get hash(): string {
    return (this.eventHash >>> 0).toString(16).padStart(8, '0');
  }

  /** `label` tells kinds of events apart in the hash. */
  schedule(delayMs: number, label: number, task: () => void): Cancellable {
    const event: Event = { atMs: this.time + Math.max(0, delayMs), order: this.order++, label, task };
    this.push(event);
    return {
      cancel() {
        event.task = undefined;
      },
    };
  }

  /** Runs until virtual time `untilMs`, or until `isOver`. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    await this.turns.next();
    for (let next = this.heap[0]; next !== undefined && next.atMs <= untilMs && !isOver(); next = this.heap[0]) {
      this.pop();
      const { task } = next;
      if (task === undefined) continue;
      this.time = next.atMs;
      this.events++;
      this.note(next.label);
      task();
      await this.turns.next();
      this.afterEvent?.();
    }
    if (!isOver()) this.time = Math.max(this.time, untilMs);
  }

  /** Something that happened, for the hash. */
  note(what: number): void {
    this.eventHash = mix(this.eventHash ^ what, Math.floor(this.time * 1000) | 0);
  }

  private push(event: Event): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = child === left ? 2 * at + 1 : 2 * at + 2;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
