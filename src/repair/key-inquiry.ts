import { ByteWriter } from '../core/bytes.ts';
import { type Container, EMPTY_CONTAINER, fill } from '../core/causality/container.ts';
import { type DotSet, EMPTY_DOTS, isEmpty, subtract } from '../core/causality/dot-set.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { MemberNumber, NodeId, ObjectKey, Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { FailureDetector } from '../membership/failure-detector.ts';
import type { Clock, Store } from '../ports.ts';
import { METHOD, readHintAnswer, readReadAnswer, writeReadRequest } from '../protocol.ts';
import type { HintStore } from '../replica/hint-store.ts';
import type { CallOutcome, Calls } from '../rpc/calls.ts';
import { decoded } from './sync-messages.ts';

export interface KeyInquiryNeeds {
  readonly self: NodeId;
  readonly store: Store;
  readonly calls: Calls;
  readonly hints: Pick<HintStore, 'held'>;
  readonly clock: Clock;
  readonly detector: Pick<FailureDetector, 'isUp'>;
}

/** What a node has of a key: filled with the clock that speaks for it. */
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

export interface Answers {
  /** Of each of those who were asked. With one that is silent it is not all. */
  readonly told: readonly Told[];
  /** Whether they have all that was sought: then whoever could not read its own record has nothing more of that. */
  readonly isAll: boolean;
  /** Whether everybody was heard who may hold something of the key: nobody was passed over. */
  readonly isHeard: boolean;
}

export interface PassedOver {
  /** Who has left a question unanswered, of this key or another one: not asked again for now. */
  readonly silent: Set<NodeId>;
  /** Not waited for while they are down: an operator has said so. */
  readonly excepted: Pick<ReadonlySet<MemberNumber>, 'has'>;
}

const CALL_MS = 5000;
const SILENT: Told = { kind: 'silent' };
const UNREADABLE: Told = { kind: 'unreadable' };

/**
 * Asks for all that there is of a key whose record is lost here: any other owner may be the only one that has some write beside it,
 * and so may a fallback that stood in for one (H18), and an owner that is catching up.
 *
 * Law: who has a dot in its clock holds its effect, but for what its record says that it lacks. So where the other owners' clocks together have all of this node's, their
 * containers together have all that was in the record. Where they do not, the fallbacks are asked too; and then the owners once more,
 * since a fallback drops what an owner has acknowledged: what it no longer holds, that owner tells.
 */
export class KeyInquiry {
  private readonly needs: KeyInquiryNeeds;
  private readonly view: ClusterView;
  private readonly partition: Partition;
  private readonly key: ObjectKey;
  private readonly passedOver: PassedOver;
  private hasExcepted = false;

  constructor(
    needs: KeyInquiryNeeds,
    view: ClusterView,
    { partition, key }: { readonly partition: Partition; readonly key: ObjectKey },
    passedOver: PassedOver,
  ) {
    this.needs = needs;
    this.view = view;
    this.partition = partition;
    this.key = key;
    this.passedOver = passedOver;
  }

  /** `sought`: the dots of writes that are missing here, if they are the key's. */
  async ask(sought: DotSet): Promise<Answers> {
    const told = await this.askOwners();
    const isAll = covers(told, sought);
    if (isAll || told.some(isSilent)) return { told, isAll, isHeard: false };
    const kept = await this.askFallbacks();
    const all = [this.ownHints(), ...kept, ...(await this.askOwners())];
    const isHeard = !this.hasExcepted && all.every(({ kind }) => kind === 'held');
    return { told: all, isAll: covers(all, sought), isHeard };
  }

  private askOwners(): Promise<readonly Told[]> {
    return this.askAll(this.view.ownersOf(this.partition), (id) => this.askOwner(id));
  }

  private askFallbacks(): Promise<readonly Told[]> {
    const { state } = this.view;
    const others = state.members.filter(({ id }) => !this.view.owns(id, this.partition));
    return this.askAll(others, (id) => this.askFallback(id));
  }

  /** Nobody, where one of them would not answer: it would not be all. */
  private async askAll(members: readonly Member[], ask: (id: NodeId) => Promise<Told>): Promise<readonly Told[]> {
    const { silent, excepted } = this.passedOver;
    const asked = members.filter(({ id }) => id !== this.needs.self);
    const others = asked.filter(({ id, number }) => this.isUp(id) || !excepted.has(number));
    this.hasExcepted ||= others.length < asked.length;
    if (others.some(({ id }) => !this.isUp(id) || silent.has(id))) return [SILENT];
    return Promise.all(others.map(({ id }) => ask(id)));
  }

  private isUp(id: NodeId): boolean {
    return this.needs.detector.isUp(id, this.needs.clock.monotonicMs());
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

  private async request(id: NodeId, method: number, partial: boolean): Promise<CallOutcome> {
    const out = new ByteWriter();
    const { view, partition, key } = this;
    writeReadRequest(out, { epoch: view.epoch, partition, key }, false, partial);
    const outcome = await this.needs.calls.request(id, method, out.view(), CALL_MS);
    if (outcome.kind === 'failed') this.passedOver.silent.add(id);
    return outcome;
  }
}

function toldBy(outcome: CallOutcome, by: Teller): Told {
  if (outcome.kind === 'refused' && outcome.code === 'storage-failed') return UNREADABLE;
  if (outcome.kind !== 'reply') return SILENT;
  const answer = decoded(() => readReadAnswer(outcome.body));
  if (answer === undefined) return SILENT;
  const { clock, stored = EMPTY_CONTAINER } = answer;
  const container = fill(stored, clock);
  return { kind: 'held', container, clock: container.lacks === undefined ? clock : container.context, by };
}

/** Hints speak for no clock: what they do not hold they know nothing of (rule C6). */
function heldInHints(container: Container | undefined): Told {
  return { kind: 'held', container: container ?? EMPTY_CONTAINER, clock: EMPTY_DOTS, by: 'fallback' };
}

function covers(told: readonly Told[], sought: DotSet): boolean {
  return isEmpty(told.reduce((lacking, one) => subtract(lacking, clockOf(one)), sought));
}

const clockOf = (told: Told): DotSet => (told.kind === 'held' ? told.clock : EMPTY_DOTS);

export const isSilent = ({ kind }: Told): boolean => kind === 'silent';
