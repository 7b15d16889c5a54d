import type { TimelinePoint } from '../report/bench-report.ts';
import { lengthMs, type Recorder, type Window } from './recorder.ts';

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
  /** In the order of their times: [when, what]. */
  private readonly moments: readonly (readonly [number, () => void])[];
  private timer: NodeJS.Timeout | undefined;
  private next = 0;
  private cpuAtStart: NodeJS.CpuUsage | undefined;
  private cpu: NodeJS.CpuUsage | undefined;

  constructor(window: Window, recorder: Recorder, listeners: WindowListeners) {
    const { startMs, endMs } = window;
    this.recorder = recorder;
    this.listeners = listeners;
    const seconds = Math.floor(lengthMs(window) / 1000);
    this.moments = [
      [startMs, () => this.begin()],
      ...Array.from({ length: seconds }, (_, i) => [startMs + (i + 1) * 1000, () => this.tell(i)] as const),
      [endMs, () => this.end()],
    ];
    this.wait();
  }

  /** Microseconds of processor time, user and system. A busy machine may have kept moments from their timers: they come now. */
  finish(): number {
    this.cancel();
    while (this.next < this.moments.length) this.step();
    return (this.cpu?.user ?? 0) + (this.cpu?.system ?? 0);
  }

  cancel(): void {
    clearTimeout(this.timer);
  }

  private wait(): void {
    const moment = this.moments[this.next];
    if (moment === undefined) return;
    this.timer = setTimeout(() => {
      this.step();
      this.wait();
    }, moment[0] - performance.now());
  }

  private step(): void {
    this.moments[this.next++]?.[1]();
  }

  private begin(): void {
    this.cpuAtStart = process.cpuUsage();
    this.listeners.onWindow?.('start');
  }

  private tell(second: number): void {
    this.listeners.onSecond?.(this.recorder.point(second));
  }

  private end(): void {
    this.cpu = process.cpuUsage(this.cpuAtStart);
    this.listeners.onWindow?.('end');
  }
}
