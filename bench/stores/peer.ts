import { CONSUL } from './consul.ts';
import { ETCD } from './etcd.ts';
import { redis } from './redis.ts';
import type { Store } from './store.ts';

/** A store of another project that is already listening: the benchmark neither starts nor stops it. */
export interface Peer {
  readonly store: Store;
  /** Of its members: requests are spread over all of them. */
  readonly addresses: readonly string[];
}

export type PeerProblem = 'no-store' | 'unknown-store' | 'no-address' | 'bad-address';

/** `--peer` with something that names no peer. The message says what was expected. */
export class BadPeerError extends Error {
  override readonly name = 'BadPeerError';
  readonly problem: PeerProblem;

  constructor(problem: PeerProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

/** `etcd=http://host:port,...`, `consul=http://host:port,...` or `redis=host:port,...`. Throws {@link BadPeerError}. */
export function parsePeer(text: string): Peer {
  const at = text.indexOf('=');
  if (at < 0) throw new BadPeerError('no-store', `peer "${text}": expected ${EXPECTED}`);
  const name = text.slice(0, at);
  const kind = KINDS.get(name);
  if (kind === undefined) throw new BadPeerError('unknown-store', `peer "${text}": expected ${EXPECTED}`);
  if (at === text.length - 1) throw new BadPeerError('no-address', `peer "${text}": expected ${name}=${kind.form}`);
  const addresses = text.slice(at + 1).split(',');
  const parsed = addresses.map((address) => {
    const url = kind.parse(address);
    if (url !== undefined) return url;
    throw new BadPeerError('bad-address', `peer "${text}": "${address}" is no address, expected ${kind.form}`);
  });
  return { store: kind.storeOf(parsed.length), addresses: parsed };
}

/** As the first member that was named says it. */
export function versionOf({ store, addresses }: Peer): Promise<string> {
  return store.versionOf(addresses[0] ?? '');
}

/** As the members say it: once when all say the same. */
export async function durabilityOf({ store, addresses }: Peer): Promise<string> {
  const said = await Promise.all(addresses.map((address) => store.durabilityOf(address)));
  return [...new Set(said)].join(', ');
}

interface PeerKind {
  readonly form: string;
  parse(address: string): string | undefined;
  storeOf(members: number): Store;
}

const HTTP_FORM = 'http://host:port, several with commas between them';
const REDIS_FORM = 'host:port, several with commas between them';
const EXPECTED = 'etcd=, consul= or redis= and addresses';

const KINDS: ReadonlyMap<string, PeerKind> = new Map([
  ['etcd', { form: HTTP_FORM, parse: httpAddress, storeOf: () => ETCD }],
  ['consul', { form: HTTP_FORM, parse: httpAddress, storeOf: () => CONSUL }],
  ['redis', { form: REDIS_FORM, parse: redisAddress, storeOf: redis }],
]);

/** Without TLS, path and credentials: the load generator sends none of them. */
function httpAddress(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, pathname, search, username } = new URL(text);
  return protocol === 'http:' && pathname === '/' && `${search}${username}` === '' ? `http://${host}` : undefined;
}

function redisAddress(text: string): string | undefined {
  const bare = text.startsWith('redis://') ? text.slice('redis://'.length) : text;
  const url = `redis://${bare}`;
  return /^[^/@?#]+:\d+$/.test(bare) && URL.canParse(url) ? url : undefined;
}
