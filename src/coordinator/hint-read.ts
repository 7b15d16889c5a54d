import { ByteWriter, DecodeError } from '../core/bytes.ts';
import type { Container } from '../core/causality/container.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import { StoreError } from '../errors.ts';
import { type KeyAddress, METHOD, readHintAnswer, writeReadRequest } from '../protocol.ts';
import type { CallOutcome } from '../rpc/calls.ts';
import type { CoordinatorContext } from './coordinator-context.ts';

/** `held` is undefined when the fallback keeps nothing of the key: that says nothing about the key. */
export type HintAnswer =
  | { readonly kind: 'answered'; readonly held: Container | undefined }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'timeout' };

type Needs = Pick<CoordinatorContext, 'self' | 'calls' | 'hints' | 'store' | 'currentView'>;

const request = new ByteWriter();

/** Asks a fallback, be it this node, what its hints hold of a key. What is answered is durable there (C7). */
export function readHints(
  needs: Needs,
  fallback: Member,
  address: KeyAddress,
  timeoutMs: number,
  done: (answer: HintAnswer) => void,
): void {
  if (fallback.id === needs.self) {
    ownHints(needs, address).then(done, (error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
      done({ kind: 'failed', reason: error.message });
    });
    return;
  }
  writeReadRequest(request.reset(), address, false);
  needs.calls.call(fallback.id, METHOD.readHint, request.view(), timeoutMs, (outcome) => done(answerOf(outcome)));
}

async function ownHints({ hints, store, currentView }: Needs, { key }: KeyAddress): Promise<HintAnswer> {
  const held = hints.held(key);
  if (held !== undefined && held.sequence !== 0) {
    await store.durable(held.sequence, currentView()?.state.settings.durability ?? 'flush');
  }
  return { kind: 'answered', held: held?.container };
}

function answerOf(outcome: CallOutcome): HintAnswer {
  if (outcome.kind === 'refused') return { kind: 'failed', reason: outcome.message };
  if (outcome.kind === 'failed') {
    return outcome.reason === 'timeout' ? { kind: 'timeout' } : { kind: 'failed', reason: outcome.reason };
  }
  try {
    return { kind: 'answered', held: readHintAnswer(outcome.body) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { kind: 'failed', reason: `malformed answer: ${error.message}` };
  }
}
