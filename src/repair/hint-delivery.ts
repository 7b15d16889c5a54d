import type { Member } from '../core/cluster/cluster-state.ts';
import type { MemberNumber, NodeId, ObjectKey } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { FailureDetector } from '../membership/failure-detector.ts';
import type { Clock, Logger, Random, Timer } from '../ports.ts';
import type { HintStore } from '../replica/hint-store.ts';
import type { Calls } from '../rpc/calls.ts';
import { type DeliverNeeds, deliverHint } from './deliver-hint.ts';
import { DeliveryWindow } from './delivery-window.ts';
import { OwnerClocks } from './owner-clocks.ts';

export interface HintDeliveryNeeds extends DeliverNeeds {
  readonly self: NodeId;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly hints: HintStore;
  readonly detector: FailureDetector;
  readonly currentView: () => ClusterView | undefined;
}

/** How often the hints' targets are looked at. */
const LOOK_MS = 250;
/** Nodes that see another one come back do not fall upon it all at once. */
const START_SPREAD_MS = 500;
const BACK_OFF_MIN_MS = 100;
const BACK_OFF_MAX_MS = 5000;
/** Hints that go in one turn because their owner has them already. */
const KNOWN_PER_TURN = 32;
const NEXT_TURN_MS = 5;

interface Target {
  /** What is under way, or has failed and must wait. */
  readonly busy: Set<ObjectKey>;
  inFlight: number;
  failures: number;
  isAvailable: boolean;
  isPumpDue: boolean;
  notBeforeMs: number;
}

/**
 * Brings hints to the owners that they were kept for, once these are back (H16, H20): of each target the oldest first, few at a time,
 * fewer while requests are being served, and later and later where the receiver has no time for it. A hint goes only when its owner
 * has acknowledged it durably, or has shown that it has it, and only if it has not changed since (H17).
 */
export class HintDelivery {
  private readonly needs: HintDeliveryNeeds;
  private readonly window = new DeliveryWindow();
  private readonly ownerClocks: OwnerClocks;
  private readonly targets = new Map<MemberNumber, Target>();
  private timer: Timer | undefined;
  private isStopped = false;
  private inFlight = 0;
  /** Attempts that did not succeed, since the start. */
  failures = 0;

  constructor(needs: HintDeliveryNeeds) {
    this.needs = needs;
    this.ownerClocks = new OwnerClocks(needs.calls, needs.clock);
  }

  start(): void {
    this.timer = this.needs.clock.after(LOOK_MS * this.needs.random.next(), () => this.look());
  }

  stop(): void {
    this.isStopped = true;
    this.timer?.cancel();
  }

  private look(): void {
    if (this.isStopped) return;
    this.timer = this.needs.clock.after(LOOK_MS, () => this.look());
    const view = this.needs.currentView();
    if (view === undefined) return;
    this.needs.hints.recheck();
    const totals = this.needs.hints.totals();
    for (const { target } of totals) this.lookAt(view, target);
    for (const target of this.targets.keys())
      if (!totals.some((kept) => kept.target === target)) this.done(view, target);
  }

  private lookAt(view: ClusterView, number: MemberNumber): void {
    const { clock, random } = this.needs;
    const nowMs = clock.monotonicMs();
    const target = this.stateOf(number);
    const isAvailable = this.mayReceive(view, number, nowMs);
    if (isAvailable && !target.isAvailable) {
      target.failures = 0;
      target.notBeforeMs = nowMs + START_SPREAD_MS * random.next();
    }
    target.isAvailable = isAvailable;
    const member = view.state.members.find((candidate) => candidate.number === number);
    if (isAvailable && member !== undefined && member.id !== this.needs.self) this.ownerClocks.ask(view, member);
    this.pump(number, target);
  }

  /** Under a grant: the folder of one that has none yet might be an older copy, which is about to be refused. */
  private mayReceive(view: ClusterView, number: MemberNumber, nowMs: number): boolean {
    const member = view.state.members.find((candidate) => candidate.number === number);
    if (member !== undefined && this.canTake(member, nowMs)) return true;
    // Whoever owns nothing any more is not waited for: the present owners are.
    return !view.state.ownership.some(({ owners }) => owners.includes(number));
  }

  private canTake({ id }: Member, nowMs: number): boolean {
    return id === this.needs.self || this.needs.detector.mayCoordinate(id, nowMs);
  }

  private pump(number: MemberNumber, target: Target): void {
    if (this.isStopped || !target.isAvailable || this.needs.clock.monotonicMs() < target.notBeforeMs) return;
    const { calls, hints } = this.needs;
    const { pending } = calls.stats();
    this.window.adapt(pending - this.inFlight + calls.serving);
    if (!this.window.admits(this.inFlight)) return;
    let known = 0;
    for (const key of hints.keysFor(number)) {
      if (target.busy.has(key)) continue;
      if (this.dropIfKnown(number, key)) {
        if (++known < KNOWN_PER_TURN) continue;
        return this.pumpSoon(number, target);
      }
      this.begin(number, target, key);
      if (!this.window.admits(this.inFlight)) return;
    }
    // What failed has its next turn when all others have had theirs: one that cannot be read must not hold up the rest.
    if (target.inFlight === 0) target.busy.clear();
  }

  /** The owner has taken it from another one. False: that is not known, or the hint cannot be read. */
  private dropIfKnown(number: MemberNumber, key: ObjectKey): boolean {
    const { hints } = this.needs;
    try {
      const hint = hints.hint(number, key);
      return hint !== undefined && this.ownerClocks.has(number, hint.partition, hint.dots) && hints.delivered(hint);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return false;
    }
  }

  private pumpSoon(number: MemberNumber, target: Target): void {
    if (target.isPumpDue) return;
    target.isPumpDue = true;
    this.needs.clock.after(NEXT_TURN_MS, () => {
      target.isPumpDue = false;
      this.pump(number, target);
    });
  }

  private begin(number: MemberNumber, target: Target, key: ObjectKey): void {
    target.busy.add(key);
    target.inFlight++;
    this.inFlight++;
    deliverHint(this.needs, number, key).then(
      (isDelivered) => this.ended(number, target, key, isDelivered),
      (error: unknown) => {
        if (!(error instanceof StoreError)) throw error;
        this.ended(number, target, key, false);
      },
    );
  }

  private ended(number: MemberNumber, target: Target, key: ObjectKey, isDelivered: boolean): void {
    target.inFlight--;
    this.inFlight--;
    if (isDelivered) {
      target.failures = 0;
      target.busy.delete(key);
    } else this.backOff(target);
    this.pump(number, target);
  }

  private backOff(target: Target): void {
    const { clock, random } = this.needs;
    const ceiling = Math.min(BACK_OFF_MAX_MS, BACK_OFF_MIN_MS * 2 ** target.failures);
    target.failures++;
    this.failures++;
    target.notBeforeMs = clock.monotonicMs() + ceiling * (0.5 + 0.5 * random.next());
  }

  private stateOf(number: MemberNumber): Target {
    let target = this.targets.get(number);
    if (target === undefined) {
      target = { busy: new Set(), inFlight: 0, failures: 0, isAvailable: false, isPumpDue: false, notBeforeMs: 0 };
      this.targets.set(number, target);
    }
    return target;
  }

  private done(view: ClusterView, number: MemberNumber): void {
    this.targets.delete(number);
    this.ownerClocks.forget(number);
    const target = view.state.members.find((member) => member.number === number)?.id;
    this.needs.logger.info({ target, delivered: this.needs.hints.removed }, 'hints delivered');
  }
}
