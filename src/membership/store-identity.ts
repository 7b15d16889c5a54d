import { pack, unpack } from 'msgpackr';
import type { LogIndex, NodeId } from '../core/ids.ts';
import { FatalError } from '../errors.ts';
import type { MetaChange, Random, Store } from '../ports.ts';

/** What a data folder says of itself. Written once, before the node speaks to anyone. */
export interface StoreIdentity {
  readonly format: 1;
  readonly cluster: string;
  readonly node: NodeId;
  readonly partitions: number;
  /** Drawn when the folder was first used. The metadata group knows each member's folder by it. */
  readonly store: string;
}

const IDENTITY = 'identity';
const STARTS = 'starts';
/** Starts without a grant that a folder remembers: so many restarts in a row without a metadata leader are told from a lost disk. */
const ATTEMPTS_MAX = 256;

/** The folder's identity; a new folder is given one, durably. Errors: FatalError (2) when it is another node's or cluster's. */
export async function claimIdentity(
  store: Store,
  expected: Pick<StoreIdentity, 'cluster' | 'node' | 'partitions'>,
  random: Random,
): Promise<{ readonly identity: StoreIdentity; readonly fresh: boolean }> {
  const bytes = store.meta(IDENTITY);
  if (bytes !== undefined) return { identity: checkIdentity(unpack(bytes), expected), fresh: false };
  const identity: StoreIdentity = { format: 1, ...expected, store: nonce(random) };
  await store.durable(store.applyMeta([{ key: IDENTITY, value: pack(identity) }]), 'flush');
  return { identity, fresh: true };
}

function checkIdentity(
  found: StoreIdentity,
  expected: Pick<StoreIdentity, 'cluster' | 'node' | 'partitions'>,
): StoreIdentity {
  if (found.format !== 1)
    throw new FatalError(`the data folder has format ${found.format}, which this release cannot read`, 2);
  for (const what of ['cluster', 'node', 'partitions'] as const) {
    if (found[what] === expected[what]) continue;
    throw new FatalError(
      `the data folder belongs to ${what} ${found[what]}, the configuration says ${expected[what]}: point \`data\` at the right folder or correct cluster.yaml`,
      2,
    );
  }
  return found;
}

/**
 * What a folder must be known by that is no longer the one that the metadata group knows: a new identity, and no starts. Its objects
 * stay. To be written together with the removal of what it had of the metadata group.
 */
export function newIdentity(
  identity: StoreIdentity,
  random: Random,
): { readonly identity: StoreIdentity; readonly changes: readonly MetaChange[] } {
  const renewed = { ...identity, store: nonce(random) };
  return {
    identity: renewed,
    changes: [
      { key: IDENTITY, value: pack(renewed) },
      { key: STARTS, value: undefined },
    ],
  };
}

interface Starts {
  /** Of the last start that is known to have got one; 0: none. */
  readonly grant: number;
  /** The nonces of that start and of those after it. */
  readonly attempts: readonly string[];
  /** Of those before it, which a log may still name that was never committed. Missing in folders of earlier releases. */
  readonly former?: readonly string[];
}

/** Which starts of this folder may have got the member's latest grant. See GrantCommand. */
export class StartRecord {
  private readonly store: Store;
  private starts: Starts;

  constructor(store: Store) {
    this.store = store;
    const bytes = store.meta(STARTS);
    this.starts = bytes === undefined ? { grant: 0, attempts: [] } : unpack(bytes);
  }

  /** Whether the member's grant at that log index shows that the folder is older than the one that got it. */
  isBehind(grant: LogIndex, start: string): boolean {
    const { grant: known, attempts, former = [] } = this.starts;
    return grant > known && !attempts.includes(start) && !former.includes(start);
  }

  /** A new start, known to the folder before anybody hears of it. */
  async begin(random: Random): Promise<{ readonly start: string; readonly attempts: readonly string[] }> {
    const start = nonce(random);
    const { attempts: earlier } = this.starts;
    // The first of them is the last that is known to have got a grant: it is never forgotten.
    await this.keep({
      ...this.starts,
      attempts: [...earlier.slice(0, 1), ...earlier.slice(1).slice(2 - ATTEMPTS_MAX), start],
    });
    return { start, attempts: earlier };
  }

  /** The start got its grant: no earlier one can get one any more. */
  async granted(start: string, grant: LogIndex): Promise<void> {
    const { attempts, former = [] } = this.starts;
    const ended = [...former, ...attempts.filter((attempt) => attempt !== start)];
    await this.keep({ grant, attempts: [start], former: ended.slice(-ATTEMPTS_MAX) });
  }

  private async keep(starts: Starts): Promise<void> {
    this.starts = starts;
    await this.store.durable(this.store.applyMeta([{ key: STARTS, value: pack(starts) }]), 'flush');
  }
}

export function nonce(random: Random): string {
  return Buffer.from(random.bytes(12)).toString('base64url');
}
