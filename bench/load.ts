import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { Workload } from './workloads.ts';

declare module 'autocannon' {
  /** Of runs with `skipAggregateResult`; missing from the published types. */
  function aggregateResult(results: readonly autocannon.Result[], options: autocannon.Options): autocannon.Result;
}

export interface Measured {
  readonly operationsPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Connection errors, time-outs and answers other than 2xx. */
  readonly errors: number;
  /** Processor time of all servers together, in microseconds an operation; undefined where the system does not tell. */
  readonly serverCpuUs: number | undefined;
  readonly clientCpuUs: number;
}

export interface LoadOptions {
  readonly urls: readonly string[];
  /** Of the servers; none: their processor time is not known. */
  readonly pids: readonly number[];
  readonly connections: number;
  readonly keys: number;
  readonly value: Buffer;
  readonly seconds: number;
}

/** Runs the workload in a closed loop: each connection sends its next request when the last was answered. Keys are drawn uniformly. */
export async function measure(workload: Workload, options: LoadOptions): Promise<Measured> {
  const { keys, value, seconds, pids } = options;
  const serverBefore = processorS(pids);
  const clientBefore = process.cpuUsage();
  const results = await spread(options, (connections, url) => ({
    url,
    connections,
    duration: seconds,
    // Each connection has requests of its own, made beforehand: making one anew each time would cost the load generator as much again.
    setupClient: (client) => client.setRequests(drawnRequests(workload, value, keys)),
  }));
  const { user, system } = process.cpuUsage(clientBefore);
  const total = autocannon.aggregateResult(results, { url: options.urls[0] ?? '' });
  const operations = total['2xx'];
  const serverS = serverBefore === undefined ? undefined : (processorS(pids) ?? 0) - serverBefore;
  return {
    operationsPerS: Math.round(operations / seconds),
    p50Ms: total.latency.p50,
    p99Ms: total.latency.p99,
    p999Ms: total.latency.p99_9,
    errors: total.errors + total.timeouts + total.non2xx,
    serverCpuUs: serverS === undefined ? undefined : round((serverS * 1e6) / operations),
    clientCpuUs: round((user + system) / operations),
  };
}

/** Writes every key once. */
export async function fill(workload: Workload, options: LoadOptions): Promise<void> {
  let next = 0;
  await spread(options, (connections, url) => ({
    url,
    connections,
    amount: Math.ceil(options.keys / options.urls.length) + connections,
    requests: [
      {
        setupRequest: (sent) => ({ ...sent, ...workload.request(`key-${next++ % options.keys}`, options.value) }),
      },
    ],
  }));
}

/** One load generator for each URL, the connections shared out. */
function spread(
  { urls, connections }: LoadOptions,
  optionsOf: (connections: number, url: string) => autocannon.Options,
): Promise<autocannon.Result[]> {
  return Promise.all(
    urls.map((url, i) => {
      const share = Math.floor((connections + i) / urls.length);
      return autocannon({ ...optionsOf(share, url), skipAggregateResult: true });
    }),
  );
}

function drawnRequests(workload: Workload, value: Buffer, keys: number): autocannon.Request[] {
  return Array.from({ length: REQUESTS_PER_CONNECTION }, () =>
    workload.request(`key-${Math.floor(Math.random() * keys)}`, value),
  );
}

/** 64 connections have 32,000 between them. */
const REQUESTS_PER_CONNECTION = 500;
const TICKS_PER_S = 100;

/** User and system time of the processes, from /proc; undefined where there is none, or no process to ask about. */
function processorS(pids: readonly number[]): number | undefined {
  if (pids.length === 0) return undefined;
  try {
    return pids.reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
    }, 0);
  } catch {
    return undefined;
  }
}

const round = (value: number): number => Math.round(value * 10) / 10;
