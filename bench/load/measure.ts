import type { Histogram } from 'hdr-histogram-js';
import type { Distribution, Loop, Sample, TimelinePoint } from '../report/bench-report.ts';
import type { Store, Way } from '../stores/store.ts';
import { randomValues } from '../stores/values.ts';
import { AutocannonLoop, canDrive } from './autocannon-loop.ts';
import { type Client, type ClientOptions, connectClients } from './client.ts';
import { closedLoop } from './closed-loop.ts';
import { percentileCurve } from './latencies.ts';
import type { Mix } from './mix.ts';
import { openLoop } from './open-loop.ts';
import { OperationSource } from './operation-source.ts';
import { Recorder, type Window } from './recorder.ts';
import { type WindowListeners, WindowWatch } from './window-watch.ts';

export interface MeasureOptions extends WindowListeners {
  readonly store: Store;
  /** Of its members: connections are spread over all of them. */
  readonly addresses: readonly string[];
  readonly mix: Mix;
  readonly read: Way;
  readonly write: Way;
  readonly loop: Loop;
  readonly connections: number;
  /** That were written before, see `fill`. */
  readonly keys: number;
  readonly valueBytes: number;
  readonly distribution: Distribution;
  readonly seconds: number;
  readonly warmupS: number;
  /** Each request's deadline, 10 seconds unless said otherwise. */
  readonly timeoutMs?: number;
  /**
   * What sends the requests of a closed loop. Our own sessions draw each operation when it is sent. autocannon, the reference that others
   * can repeat a figure with, sends requests that were drawn before and takes more processor time for each; it drives HTTP and
   * workloads of plain reads and updates only.
   */
  readonly generator?: 'sessions' | 'autocannon';
  readonly random?: () => number;
}

export interface Measured {
  readonly sample: Omit<Sample, 'serverCpuUs'>;
  readonly percentiles: readonly (readonly [number, number])[];
  readonly timeline: readonly TimelinePoint[];
  /** In microseconds: to be added to those of other repetitions. */
  readonly latencies: Histogram;
}

export const TIMEOUT_MS = 10_000;

/** How much later than asked for a load may begin on a busy machine. */
const LATE_S = 60;

/** Drives one workload against one store, and says what came of it. Rejects when there is no connection at the start; later failures are counted. */
export async function measure(options: MeasureOptions): Promise<Measured> {
  const { mix, distribution, keys, random = Math.random, seconds, warmupS } = options;
  const source = new OperationSource({ mix, distribution, keys, random });
  if (options.generator === 'autocannon') return measureWithAutocannon(options, source);
  const clients = await connectClients(clientOptions(options), options.connections);
  const window = windowFrom(performance.now(), warmupS, seconds);
  const recorder = new Recorder(window);
  try {
    return await watched(options, window, recorder, () => drive(options, clients, source, recorder, window));
  } finally {
    for (const client of clients) client.close();
  }
}

function drive(
  { loop, warmupS, timeoutMs = TIMEOUT_MS }: MeasureOptions,
  clients: readonly Client[],
  source: OperationSource,
  recorder: Recorder,
  { startMs, endMs }: Window,
): Promise<void> {
  if (loop.kind === 'closed') return closedLoop(clients, source, recorder, endMs);
  const schedule = { startMs: startMs - warmupS * 1000, endMs, ratePerS: loop.ratePerS };
  return openLoop(clients, source, recorder, schedule, timeoutMs);
}

async function measureWithAutocannon(options: MeasureOptions, source: OperationSource): Promise<Measured> {
  const { store, addresses, connections, loop, mix, seconds, warmupS } = options;
  const { dialect } = store;
  if (dialect === undefined || loop.kind === 'open' || !canDrive(mix)) {
    throw new Error(`autocannon cannot drive ${mix.name} of ${store.name} in this way`);
  }
  const { session } = clientOptions(options);
  const secondsMax = 2 * (warmupS + seconds) + LATE_S;
  const load = await AutocannonLoop.start({ addresses, connections, dialect, session, source, secondsMax });
  const window = windowFrom(performance.now(), warmupS, seconds);
  const recorder = new Recorder(window);
  return watched(options, window, recorder, () => load.run(recorder, window.endMs));
}

/** Runs `work` while the window is watched. */
async function watched(
  listeners: WindowListeners,
  window: Window,
  recorder: Recorder,
  work: () => Promise<void>,
): Promise<Measured> {
  const watch = new WindowWatch(window, recorder, listeners);
  try {
    await work();
  } catch (error) {
    watch.cancel();
    throw error;
  }
  return {
    sample: recorder.sample(watch.finish()),
    percentiles: percentileCurve(recorder.latencies),
    timeline: recorder.timeline(),
    latencies: recorder.latencies,
  };
}

function clientOptions({ store, addresses, read, write, valueBytes, timeoutMs }: MeasureOptions): ClientOptions {
  const session = { read, write, nextValue: randomValues(valueBytes), timeoutMs: timeoutMs ?? TIMEOUT_MS };
  return { store, addresses, session };
}

function windowFrom(nowMs: number, warmupS: number, seconds: number): Window {
  const startMs = nowMs + warmupS * 1000;
  return { startMs, endMs: startMs + seconds * 1000 };
}
