import { ByteWriter } from '../core/bytes.ts';
import { type Container, EMPTY_CONTAINER, fill } from '../core/causality/container.ts';
import { type DotSet, EMPTY_DOTS, isEmpty, subtract } from '../core/causality/dot-set.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { NodeId, ObjectKey, Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Store } from '../ports.ts';
import { METHOD, readHintAnswer, readReadAnswer, writeReadRequest } from '../protocol.ts';
import type { HintStore } from '../replica/hint-store.ts';
import type { CallOutcome, Calls } from '../rpc/calls.ts';
import { decoded } from './sync-messages.ts';

export interface KeyInquiryNeeds {
  readonly self: NodeId;
  readonly store: Store;
  readonly calls: Calls;
  readonly hints: Pick<HintStore, 'held'>;
}

/** What a node has of a key: filled with the clock that it speaks for. */
export interface Held {
  readonly kind: 'held';
  readonly container: Container;
  readonly clock: DotSet;
  readonly by: Teller;
}

/** `partial owner`: one that is catching up. */
type Teller = 'owner' | 'partial owner' | 'fallback';

/** `silent`: it does not answer, or cannot tell yet. */
export type Told = Held | { readonly kind: 'unreadable' } | { readonly kind: 'silent' };

const CALL_MS = 5000;
const SILENT: Told = { kind: 'silent' };
const UNREADABLE: Told = { kind: 'unreadable' };

/**
 * Asks for all that there is of a key whose record is lost here: any other owner may be the only one that has some write beside it,
 * and so may a fallback that stood in for one (H18), and an owner that is catching up.
 *
 * Law: who has a dot in its clock holds its effect. So where the other owners' clocks together have all of this node's, their
 * containers together have all that was in the record. Where they do not, the fallbacks are asked too; and then the owners once more,
 * since a fallback drops what an owner has acknowledged: what it no longer holds, that owner tells.
 */
export class KeyInquiry {
  private readonly needs: KeyInquiryNeeds;
  private readonly view: ClusterView;
  private readonly partition: Partition;
  private readonly key: ObjectKey;

  constructor(needs: KeyInquiryNeeds, view: ClusterView, partition: Partition, key: ObjectKey) {
    this.needs = needs;
    this.view = view;
    this.partition = partition;
    this.key = key;
  }

  /** What each of those who were asked has told. With one that is silent it is not all. */
  async ask(): Promise<readonly Told[]> {
    const clock = this.needs.store.clock(this.partition);
    const told = await this.askOwners();
    if (told.some(isSilent) || isEmpty(told.reduce((lacking, one) => subtract(lacking, clockOf(one)), clock)))
      return told;
    const kept = await this.askFallbacks();
    return [this.ownHints(), ...kept, ...(await this.askOwners())];
  }

  private askOwners(): Promise<readonly Told[]> {
    return this.askAll(this.view.ownersOf(this.partition), (id) => this.askOwner(id));
  }

  private askFallbacks(): Promise<readonly Told[]> {
    const { state } = this.view;
    const others = state.members.filter(({ id }) => !this.view.owns(id, this.partition));
    return this.askAll(others, (id) => this.askFallback(id));
  }

  private askAll(members: readonly Member[], ask: (id: NodeId) => Promise<Told>): Promise<readonly Told[]> {
    return Promise.all(members.filter(({ id }) => id !== this.needs.self).map(({ id }) => ask(id)));
  }

  private async askOwner(id: NodeId): Promise<Told> {
    const outcome = await this.request(id, METHOD.read, false);
    if (outcome.kind !== 'refused' || outcome.code !== 'not-ready') return toldBy(outcome, 'owner');
    return toldBy(await this.request(id, METHOD.read, true), 'partial owner');
  }

  private async askFallback(id: NodeId): Promise<Told> {
    const outcome = await this.request(id, METHOD.readHint, false);
    if (outcome.kind !== 'reply') return toldBy(outcome, 'fallback');
    const answer = decoded(() => ({ container: readHintAnswer(outcome.body) }));
    return answer === undefined ? SILENT : heldInHints(answer.container);
  }

  /** Of what it coordinated, a node keeps hints for the other owners itself. */
  private ownHints(): Told {
    try {
      return heldInHints(this.needs.hints.held(this.key)?.container);
    } catch (error) {
      if (error instanceof StoreError) return UNREADABLE;
      throw error;
    }
  }

  private request(id: NodeId, method: number, partial: boolean): Promise<CallOutcome> {
    const out = new ByteWriter();
    const { view, partition, key } = this;
    writeReadRequest(out, { epoch: view.epoch, partition, key }, false, partial);
    return this.needs.calls.request(id, method, out.view(), CALL_MS);
  }
}

function toldBy(outcome: CallOutcome, by: Teller): Told {
  if (outcome.kind === 'refused' && outcome.code === 'storage-failed') return UNREADABLE;
  if (outcome.kind !== 'reply') return SILENT;
  const answer = decoded(() => readReadAnswer(outcome.body));
  if (answer === undefined) return SILENT;
  const { clock, stored = EMPTY_CONTAINER } = answer;
  return { kind: 'held', container: fill(stored, clock), clock, by };
}

/** Hints speak for no clock: what they do not hold they know nothing of (rule C6). */
function heldInHints(container: Container | undefined): Told {
  return { kind: 'held', container: container ?? EMPTY_CONTAINER, clock: EMPTY_DOTS, by: 'fallback' };
}

const clockOf = (told: Told): DotSet => (told.kind === 'held' ? told.clock : EMPTY_DOTS);

export const isSilent = ({ kind }: Told): boolean => kind === 'silent';
