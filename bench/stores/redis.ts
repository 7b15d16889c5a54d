import { RedisSession, withClient } from './redis-session.ts';
import type { Store, Way } from './store.ts';

const ONE: Way = { label: 'GET', parameter: 'any', strength: 'one' };
const AT_PRIMARY: Way = { label: 'GET at the primary', parameter: 'primary', strength: 'quorum' };
const SET: Way = { label: 'SET', parameter: '0', strength: 'one', replicas: 1 };

/**
 * A Redis primary and its replicas, `members` together, over RESP. A write goes to the primary wherever the session is; with WAIT it is
 * acknowledged when a majority has received it, which is not the same as having it on disk.
 */
export function redis(members: number): Store {
  const others = Math.floor(members / 2);
  const majority: Way = {
    label: `SET, WAIT ${others}`,
    parameter: `${others}`,
    strength: 'quorum',
    replicas: others + 1,
  };
  return {
    name: 'redis',
    reads: others === 0 ? [ONE] : [AT_PRIMARY, ONE],
    writes: others === 0 ? [SET] : [majority, SET],
    dialect: undefined,
    open: (address, options) => RedisSession.open(address, options),
    versionOf: (address) => withClient(address, async (ask) => fieldOf(await ask(['INFO', 'server']), 'redis_version')),
    durabilityOf: (address) => withClient(address, async (ask) => durability(await ask(['INFO', 'persistence']), ask)),
  };
}

async function durability(persistence: unknown, ask: (command: string[]) => Promise<unknown>): Promise<string> {
  if (fieldOf(persistence, 'aof_enabled') !== '1') return 'no append-only file';
  return `appendfsync ${settingOf(await ask(['CONFIG', 'GET', 'appendfsync']))}`;
}

/** A line `name:value` of INFO's answer. */
function fieldOf(info: unknown, name: string): string {
  const value = new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(String(info))?.[1];
  if (value === undefined) throw new Error(`INFO says nothing of ${name}`);
  return value;
}

/** CONFIG GET answers name and value, one after the other. */
const settingOf = (answer: unknown): string => (Array.isArray(answer) ? String(answer[1]) : String(answer));
