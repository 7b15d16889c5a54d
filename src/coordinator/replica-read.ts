import { type ByteReader, ByteWriter, DecodeError } from '../core/bytes.ts';
import { type Container, decodeContainer, EMPTY_CONTAINER, fill, withoutLacks } from '../core/causality/container.ts';
import type { DotSet } from '../core/causality/dot-set.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import { StoreError } from '../errors.ts';
import type { Durability } from '../ports.ts';
import { type KeyAddress, METHOD, type ReadAnswer, readReadAnswer, writeReadRequest } from '../protocol.ts';
import type { ReadSnapshot } from '../replica/replica.ts';
import type { CallOutcome } from '../rpc/calls.ts';
import type { CoordinatorContext } from './coordinator-context.ts';

/** Whoever asks replicas. Each that was asked is heard of once, unless it was called off. */
export interface ReadListener {
  /** What it holds, filled, and its late deletions of the key; durable there. Of a digest the versions are unknown. */
  answered(owner: Member, container: Container, digest: boolean, deletions: DotSet): void;
  lost(owner: Member, reason: string): void;
  /** The time that it was given is up. */
  timedOut(owner: Member): void;
}

const request = new ByteWriter();

/** Asks another owner; `digest`: it may leave out large versions. `listener` is called later, never at once. */
export function askPeer(
  { calls, clock, hedge }: Pick<CoordinatorContext, 'calls' | 'clock' | 'hedge'>,
  owner: Member,
  address: KeyAddress,
  digest: boolean,
  timeoutMs: number,
  listener: ReadListener,
): void {
  writeReadRequest(request.reset(), address, digest);
  const askedMs = clock.monotonicMs();
  calls.call(owner.id, METHOD.read, request.view(), timeoutMs, (outcome) => {
    if (outcome.kind === 'reply') hedge.answered(clock.monotonicMs() - askedMs);
    heard(owner, outcome, listener);
  });
}

function heard(owner: Member, outcome: CallOutcome, listener: ReadListener): void {
  if (outcome.kind === 'failed' && outcome.reason === 'timeout') return listener.timedOut(owner);
  if (outcome.kind !== 'reply')
    return listener.lost(owner, outcome.kind === 'failed' ? outcome.reason : outcome.message);
  const answer = decoded(outcome.body);
  if (typeof answer === 'string') return listener.lost(owner, answer);
  const { stored, clock, digest, deletions } = answer;
  listener.answered(owner, withoutLacks(fill(stored ?? EMPTY_CONTAINER, clock)), digest, deletions);
}

/** A text says why there is none. */
function decoded(body: ByteReader): ReadAnswer | string {
  try {
    return readReadAnswer(body);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return `malformed answer: ${error.message}`;
  }
}

/**
 * Asks this node itself, once it may answer reads. Calls `listener` at once when it may and nothing waits for a flush.
 * Returns how to call it off while it waits to be allowed, and whether it still did.
 */
export function askSelf(
  { standing, replica, store }: Pick<CoordinatorContext, 'standing' | 'replica' | 'store'>,
  owner: Member,
  address: KeyAddress,
  durability: Durability,
  listener: ReadListener,
): () => boolean {
  const read = (): void => {
    const snapshot = replica.read(address);
    const tell = (): void => listener.answered(owner, filled(snapshot), false, snapshot.deletions);
    if (snapshot.sequence === 0) return tell();
    store.durable(snapshot.sequence, durability).then(tell, (error: unknown) => listener.lost(owner, reasonOf(error)));
  };
  const orLost = (task: () => void): void => {
    try {
      task();
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof DecodeError)) throw error;
      listener.lost(owner, reasonOf(error));
    }
  };
  let callOff = (): boolean => false;
  orLost(() => {
    callOff = standing.whenReadable(address.partition, () => orLost(read));
  });
  return () => callOff();
}

function filled({ clock, stored }: ReadSnapshot): Container {
  return withoutLacks(fill(stored === undefined ? EMPTY_CONTAINER : decodeContainer(stored), clock));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
