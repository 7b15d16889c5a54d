import type { Clock, Timer } from '../ports.ts';

/** What a system timer can wait at most; a longer delay given to it would run at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The machine's own time. Timers keep the process alive until they have run or are cancelled. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, task) => (delayMs <= TIMER_MS_MAX ? oneTimer(delayMs, task) : chainOfTimers(delayMs, task)),
};

function oneTimer(delayMs: number, task: () => void): Timer {
  const handle = setTimeout(task, delayMs);
  return { cancel: () => clearTimeout(handle) };
}

function chainOfTimers(delayMs: number, task: () => void): Timer {
  let current = oneTimer(TIMER_MS_MAX, () => {
    current = systemClock.after(delayMs - TIMER_MS_MAX, task);
  });
  return { cancel: () => current.cancel() };
}
