import type { NodeId } from '../core/ids.ts';
import type { IncomingRequest } from './incoming.ts';

/** Requests of one life of a peer that are remembered one by one; older ones are taken as seen. */
const REMEMBERED = 16_384;
/** Lives of one peer that are remembered. */
const LIVES = 4;

interface Life {
  readonly nonce: number;
  highest: number;
  readonly seen: Set<number>;
}

/**
 * Tells a request from its repetition, for the methods that must not be carried out twice (H3).
 *
 * TCP repeats nothing; but a promise that only the network keeps is none. A life's request ids ascend, so that of those far below
 * its highest only repetitions can still come.
 */
export class SeenRequests {
  private readonly peers = new Map<NodeId, Life[]>();

  /** Whether this request comes for the first time; from now on it does not. */
  isNew({ from, nonce, id }: Pick<IncomingRequest, 'from' | 'nonce' | 'id'>): boolean {
    const life = this.lifeOf(from, nonce);
    if (id <= life.highest - REMEMBERED || life.seen.has(id)) return false;
    life.seen.add(id);
    if (id > life.highest) life.highest = id;
    if (life.seen.size > 2 * REMEMBERED) forget(life);
    return true;
  }

  private lifeOf(from: NodeId, nonce: number): Life {
    const lives = this.peers.get(from) ?? [];
    const known = lives.find((life) => life.nonce === nonce);
    if (known !== undefined) return known;
    const life = { nonce, highest: 0, seen: new Set<number>() };
    this.peers.set(from, [life, ...lives].slice(0, LIVES));
    return life;
  }
}

function forget({ seen, highest }: Life): void {
  for (const id of seen) if (id <= highest - REMEMBERED) seen.delete(id);
}
