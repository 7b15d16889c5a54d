import type { Client } from './client.ts';
import type { OperationSource } from './operation-source.ts';
import type { Recorder } from './recorder.ts';

/** Operation `i` is to start at `startMs + 1000 i / ratePerS`, for all `i` with which that is before `endMs`. */
export interface Schedule {
  readonly startMs: number;
  readonly endMs: number;
  readonly ratePerS: number;
}

export const intendedMs = ({ startMs, ratePerS }: Schedule, i: number): number => startMs + (1000 * i) / ratePerS;

/** Operations that are to start before or at `nowMs`, counted from the start of the schedule. */
export function dueBy(schedule: Schedule, nowMs: number): number {
  const { startMs, endMs, ratePerS } = schedule;
  if (nowMs < startMs) return 0;
  const all = Math.ceil(((endMs - startMs) * ratePerS) / 1000);
  return Math.min(all, Math.floor(((nowMs - startMs) * ratePerS) / 1000) + 1);
}

/**
 * Operations start at a fixed rate, whatever the store does. Each one's latency is counted from when it was to start: the time in
 * which it waited for a free connection belongs to it, or a pause of the store would be seen by one operation of each connection and by none
 * of those that would have come meanwhile ("coordinated omission", Tene, "How not to measure latency"). It belongs to the second in which it
 * was to start. What waited for longer than `giveUpMs` is not sent any more and counts as {@link NOT_SENT}: no backlog grows beyond that.
 */
export async function openLoop(
  clients: readonly Client[],
  source: OperationSource,
  recorder: Recorder,
  schedule: Schedule,
  giveUpMs: number,
): Promise<void> {
  await new OpenLoop(clients, source, recorder, schedule, giveUpMs).run();
}

export const NOT_SENT = 'not-sent';

class OpenLoop {
  private readonly source: OperationSource;
  private readonly recorder: Recorder;
  private readonly schedule: Schedule;
  private readonly giveUpMs: number;
  /** Taken in turn: were the last one taken first, a few would do all the work at a low rate, and the others never be seen. */
  private readonly free: Client[];
  private readonly inFlight = new Set<Promise<void>>();
  /** The operation that is to be sent next. The backlog is a number: whatever is due and not sent. */
  private next = 0;

  constructor(
    clients: readonly Client[],
    source: OperationSource,
    recorder: Recorder,
    schedule: Schedule,
    giveUpMs: number,
  ) {
    this.free = [...clients];
    this.source = source;
    this.recorder = recorder;
    this.schedule = schedule;
    this.giveUpMs = giveUpMs;
  }

  async run(): Promise<void> {
    const { endMs } = this.schedule;
    while (performance.now() < endMs || this.next < dueBy(this.schedule, endMs)) {
      this.sendDue();
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    await Promise.all(this.inFlight);
  }

  private sendDue(): void {
    const nowMs = performance.now();
    const due = dueBy(this.schedule, nowMs);
    while (this.next < due && nowMs - intendedMs(this.schedule, this.next) > this.giveUpMs) {
      this.recorder.failed(intendedMs(this.schedule, this.next++), NOT_SENT);
    }
    while (this.next < due) {
      const client = this.free.shift();
      if (client === undefined) return;
      const sent = this.send(client, intendedMs(this.schedule, this.next++)).finally(() => this.inFlight.delete(sent));
      this.inFlight.add(sent);
    }
  }

  /** A client that got its answer takes what is due at once: it does not wait for the next tick. */
  private async send(client: Client, startMs: number): Promise<void> {
    const operation = this.source.next();
    const failure = await client.run(operation);
    this.source.ended(operation);
    if (failure === undefined) this.recorder.succeeded(startMs, performance.now() - startMs);
    else this.recorder.failed(startMs, failure);
    this.free.push(client);
    this.sendDue();
  }
}

/** The finest that timers have. What an operation starts late because of it belongs to its latency, too. */
const TICK_MS = 1;
