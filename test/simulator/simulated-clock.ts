import type { Clock, Timer } from '../../src/ports.ts';
import { LABEL } from './labels.ts';
import type { NodeLife } from './node-life.ts';
import type { World } from './world.ts';

/** What a machine's clock is off by. It outlives the process. */
export interface ClockError {
  /** Milliseconds that people's time is ahead. Jumps. */
  offsetMs: number;
  /** How fast its time goes: 1.01 gains 1 %. */
  readonly rate: number;
}

/** 2026-01-01: where virtual people's time begins. */
const START_WALL_MS = 1_767_225_600_000;

/** A machine's clock as one life of its process sees it. Its monotonic time runs fast or slow, but never back, whatever people's time does. */
export function simulatedClock(world: World, error: ClockError, life: NodeLife): Clock {
  return {
    wallMs: () => Math.floor(START_WALL_MS + world.nowMs * error.rate + error.offsetMs),
    monotonicMs: () => world.nowMs * error.rate,
    after(delayMs: number, task: () => void): Timer {
      let isCancelled = false;
      const event = world.schedule(delayMs / error.rate, LABEL.timer, () => {
        life.run(() => {
          if (!isCancelled) task();
        });
      });
      return {
        cancel() {
          isCancelled = true;
          event.cancel();
        },
      };
    },
  };
}
