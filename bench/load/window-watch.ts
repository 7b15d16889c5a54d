import type { TimelinePoint } from '../report/bench-report.ts';
import type { Recorder, Window } from './recorder.ts';

export interface WindowListeners {
  /** The warm-up is over, or the measurement: for meters that watch the processes of the store. */
  readonly onWindow?: ((moment: 'start' | 'end') => void) | undefined;
  /** After each second that was measured, what is known of it by then. */
  readonly onSecond?: ((point: TimelinePoint) => void) | undefined;
}

/** Says when the window begins and ends and what each second brought, and takes the processor time of this process within it. */
export class WindowWatch {
  private readonly listeners: WindowListeners;
  private readonly recorder: Recorder;
  private readonly timers: NodeJS.Timeout[] = [];
  private cpuAtStart: NodeJS.CpuUsage | undefined;
  private cpu: NodeJS.CpuUsage | undefined;

  constructor({ startMs, endMs }: Window, recorder: Recorder, listeners: WindowListeners) {
    this.recorder = recorder;
    this.listeners = listeners;
    this.at(startMs, () => this.begin());
    for (let second = 0; startMs + (second + 1) * 1000 <= endMs; second++) {
      this.at(startMs + (second + 1) * 1000, () => this.listeners.onSecond?.(this.recorder.point(second)));
    }
    this.at(endMs, () => this.end());
  }

  /** Microseconds of processor time, user and system. Ends the window, if a busy machine has kept its timer from it. */
  stop(): number {
    for (const timer of this.timers) clearTimeout(timer);
    if (this.cpuAtStart === undefined) this.begin();
    if (this.cpu === undefined) this.end();
    return (this.cpu?.user ?? 0) + (this.cpu?.system ?? 0);
  }

  private begin(): void {
    this.cpuAtStart = process.cpuUsage();
    this.listeners.onWindow?.('start');
  }

  private end(): void {
    this.cpu = process.cpuUsage(this.cpuAtStart);
    this.listeners.onWindow?.('end');
  }

  private at(timeMs: number, work: () => void): void {
    this.timers.push(setTimeout(work, timeMs - performance.now()));
  }
}
