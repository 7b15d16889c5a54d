import { z } from 'zod';
import { getJson } from './get-json.ts';
import { type HttpAnswer, type HttpDialect, headerOf, isSuccess } from './http-dialect.ts';
import { openHttpSession } from './http-session.ts';
import type { Store, Way } from './store.ts';

/** Every key of the benchmark is in this bucket. */
const BUCKET = 'bench';

/** Read-modify-write sends the context of the read: what was written meanwhile stays beside it as a sibling, nothing is refused. */
const DIALECT: HttpDialect = {
  read: (key, { parameter }) => ({ method: 'GET', path: `${pathOf(key)}?${parameter}` }),
  write: (key, { bytes }, { parameter }) => ({ method: 'PUT', path: `${pathOf(key)}?${parameter}`, body: bytes }),
  readBeforeWrite: (key, { parameter }) => ({ method: 'GET', path: `${pathOf(key)}?${parameter}` }),
  writeAfter: (key, value, way, seen) => ({
    ...DIALECT.write(key, value, way),
    headers: contextOf(seen),
  }),
  /** 300 is a value, and its siblings. */
  failureOf: (_step, answer) => (isSuccess(answer) || answer.status === 300 ? undefined : `${answer.status}`),
};

/** A cluster with `n` copies of each key: r and w of 1 to n. */
export function quorate(n: number): Store {
  return httpStore('quorate', n, async (address) => {
    const { settings } = Cluster.parse(await getJson(`${address}/v1/cluster`));
    return settings.durability;
  });
}

/** The store of a cluster that is running, as one of its nodes describes it. */
export async function quorateAt(address: string): Promise<Store> {
  const { n } = Cluster.parse(await getJson(`${address}/v1/cluster`));
  return quorate(n);
}

/** The same HTTP server in one process, answering from memory: what a store that did nothing would reach. */
export function memory(): Store {
  return httpStore('memory', 1, async () => 'none');
}

function httpStore(name: string, n: number, durabilityOf: (address: string) => Promise<string>): Store {
  const levels = Array.from({ length: n }, (_, i) => n - i);
  return {
    name,
    reads: levels.map((level) => wayOf('GET', 'r', level, n)),
    writes: levels.map((level) => wayOf('PUT', 'w', level, n)),
    dialect: DIALECT,
    open: (address, options) => openHttpSession(address, DIALECT, options),
    versionOf: async (address) => Version.parse(await getJson(`${address}/v1/version`)).version,
    durabilityOf,
  };
}

function wayOf(method: string, name: string, level: number, n: number): Way {
  const majority = Math.floor(n / 2) + 1;
  const strength = level === majority ? 'quorum' : level === 1 ? 'one' : 'other';
  return { label: `${method} ${name}=${level}`, parameter: `${name}=${level}`, strength, replicas: level };
}

const pathOf = (key: string): string => `/v1/kv/${BUCKET}/${key}`;

function contextOf(seen: HttpAnswer): Record<string, string> {
  const context = headerOf(seen, 'causal-context');
  return context === undefined ? {} : { 'Causal-Context': context };
}

const Cluster = z.object({ n: z.number().int().positive(), settings: z.object({ durability: z.string() }) });
const Version = z.object({ version: z.string() });
