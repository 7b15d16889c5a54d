import { expect } from 'vitest';
import { logIndex, partition } from '../ids.ts';
import { actor, bytesOf } from './causality-builders.ts';
import {
  type Container,
  decodeContainer,
  EMPTY_CONTAINER,
  encodeContainer,
  fill,
  isVoid,
  merge,
  strip,
} from './container.ts';
import { type Actor, actorGrant, actorMember, type Dot, formatDot } from './dot.ts';
import {
  addDot,
  type DotSet,
  dotSetOf,
  EMPTY_DOTS,
  equalDotSets,
  floorOf,
  hasDot,
  restrictedTo,
  subtract,
  union,
} from './dot-set.ts';
import { applyRemote, coordinateWrite, type ReplicaUpdate } from './replica-update.ts';
import { foldable, following, isStray, type Retirement } from './retirement.ts';

/**
 * The owners of one partition and a few keys, under any schedule of writes, reads, repairs, lost, late and repeated messages,
 * full comparisons, restarts, power cuts, wiped disks and retirements. A ledger of all writes says what a replica must hold at every moment. For a write d of the key:
 *
 *   sibling d             =>  d was put, is in the context, and no write in the clock covers d     (no phantom, no resurrection)
 *   d put, in the context =>  sibling d, or a write in the context covers d                        (nothing lost)
 *
 * The first line says clock and not context: a blind write's answer covers what it replaced, not what that had replaced before, so a
 * context that a client hands on may name a write and not what it covers. Once the clocks are equal the lines meet. A write that
 * nobody has when its actor is retired is lost (rule C9): it is no sibling, and what it covered is there, unless something that is there covered the lost write.
 */
interface Write {
  readonly key: string;
  readonly dot: Dot;
  readonly covered: DotSet;
  /** Undefined deletes. */
  readonly value: string | undefined;
}

interface Message {
  readonly to: Replica;
  readonly key: string;
  readonly container: Uint8Array;
  readonly dots: readonly Dot[];
}

class Replica {
  clock: DotSet = EMPTY_DOTS;
  readonly objects = new Map<string, Container>();
  /** Whom a wiped replica must still exchange with before it may be read, or asked what it has (rule C8). */
  readonly missing = new Set<Replica>();
  private readonly member: number;
  actor: Actor;

  constructor(member: number, grant: number) {
    this.member = member;
    this.actor = actor(member, grant);
  }

  restart(grant: number): void {
    this.actor = actor(this.member, grant);
  }

  stored(key: string): Container {
    return this.objects.get(key) ?? EMPTY_CONTAINER;
  }

  filled(key: string): Container {
    return fill(this.stored(key), this.clock);
  }

  keep(key: string, update: ReplicaUpdate): void {
    const { stored, clock, added } = update;
    expect(subtract(stored.context, clock), 'is stored stripped').toEqual(stored.context);
    expect(clock, 'the clock grows by what is added').toEqual(union(this.clock, dotSetOf(added)));
    this.clock = clock;
    this.put(key, stored);
  }

  merge(key: string, container: Container, dots: readonly Dot[]): boolean {
    const update = applyRemote(this.stored(key), this.clock, container, dots);
    if (update !== undefined) this.keep(key, update);
    return update !== undefined;
  }

  /** A full comparison: every key that either has, then the clock, then the residues that it covers. */
  takeAllFrom(sender: Replica): void {
    for (const key of new Set([...this.objects.keys(), ...sender.objects.keys()]))
      this.merge(key, sender.filled(key), []);
    this.clock = union(this.clock, sender.clock);
    if (sender.missing.size === 0) this.missing.delete(sender);
    for (const [key, stored] of this.objects) this.put(key, strip(stored, this.clock));
  }

  /** The replica as it was: what has happened since was not flushed. */
  memory(): () => void {
    const [clock, objects] = [this.clock, new Map(this.objects)];
    return () => {
      this.clock = clock;
      this.objects.clear();
      for (const [key, stored] of objects) this.objects.set(key, stored);
    };
  }

  wipe(others: readonly Replica[]): void {
    this.clock = EMPTY_DOTS;
    this.objects.clear();
    for (const other of others) this.missing.add(other);
  }

  fold(retirements: Iterable<Retirement>): void {
    this.clock = union(this.clock, foldable(this.clock, PARTITION, retirements));
    for (const [key, stored] of this.objects) this.put(key, strip(stored, this.clock));
  }

  private put(key: string, stored: Container): void {
    if (isVoid(stored)) this.objects.delete(key);
    else this.objects.set(key, stored);
  }
}

export class World {
  readonly replicas: readonly Replica[];
  readonly writes: Write[] = [];
  readonly messages: Message[] = [];
  private readonly retirements = new Map<number, Retirement>();
  private readonly lost = new Set<Write>();
  private readonly minted = new Set<string>();
  private readonly contexts = new Map<string, DotSet[]>();
  private grants: number;

  constructor(size: number) {
    this.replicas = Array.from({ length: size }, (_, i) => new Replica(i + 1, i + 1));
    this.grants = size;
  }

  replica(pick: number): Replica {
    const replica = this.replicas[pick % this.replicas.length];
    if (replica === undefined) throw new Error('a world without replicas');
    return replica;
  }

  /** The write's own context as its writer is told it: what it covers and its dot. `cut`: the power fails before its flush. */
  write(at: Replica, key: string, deletes: boolean, context: DotSet | undefined, cut = false): DotSet {
    const restore = at.memory();
    const value = deletes ? undefined : `value ${this.writes.length}`;
    const update = coordinateWrite(
      at.stored(key),
      at.clock,
      at.actor,
      value === undefined ? value : bytesOf(value),
      context,
    );
    const { dot, covered, filled } = update;
    expect(this.minted.has(formatDot(dot)), 'a dot is minted once').toBe(false);
    this.minted.add(formatDot(dot));
    if (context !== undefined) expect(covered).toEqual(context);
    this.writes.push({ key, dot, covered, value });
    at.keep(key, update);
    for (const to of this.replicas) if (to !== at) this.send(to, key, filled, [dot]);
    const told = addDot(covered, dot);
    if (!cut) this.contextsOf(key).push(told);
    else {
      restore();
      this.restart(at);
    }
    return told;
  }

  read(asked: readonly Replica[], key: string, repairs: boolean): void {
    const from = asked.filter(({ missing }) => missing.size === 0);
    if (from.length === 0) return;
    const merged = from.map((replica) => replica.filled(key)).reduce(merge);
    this.expectTruth(key, merged, from.map((replica) => replica.clock).reduce(union));
    for (const { dot } of this.writesOf(key)) {
      const holders = this.replicas.filter((replica) => hasDot(replica.clock, dot)).length;
      if (holders + from.length > this.replicas.length) expect(hasDot(merged.context, dot), 'quorums meet').toBe(true);
    }
    this.contextsOf(key).push(merged.context);
    if (repairs) for (const to of from) this.send(to, key, merged, []);
  }

  /** One obtained for the key earlier, however stale; an empty one when there is none. */
  contextOf(key: string, pick: number): DotSet {
    const contexts = this.contextsOf(key);
    return contexts[pick % Math.max(1, contexts.length)] ?? EMPTY_DOTS;
  }

  deliver(pick: number, again: boolean): void {
    const at = pick % Math.max(1, this.messages.length);
    const message = this.messages[at];
    if (message === undefined) return;
    if (!again) this.messages.splice(at, 1);
    if (this.isRefused(message)) return;
    message.to.merge(message.key, decodeContainer(message.container), message.dots);
    expect(message.dots.every((dot) => hasDot(message.to.clock, dot))).toBe(true);
  }

  drop(pick: number): void {
    if (this.messages.length > 0) this.messages.splice(pick % this.messages.length, 1);
  }

  restart(replica: Replica): void {
    this.grants++;
    replica.restart(this.grants);
  }

  /**
   * One at a time. What it alone had is lost; repairs of reads that it had answered are not under way any more: they name no write, so
   * one that came after all clocks are equal would be noticed by nothing but a comparison of contents (rule C10).
   */
  wipe(replica: Replica): void {
    const others = this.replicas.filter((other) => other !== replica);
    if (others.length === 0 || others.some(({ missing }) => missing.size > 0)) return;
    replica.wipe(others);
    for (const message of [...this.messages])
      if (message.dots.length === 0) this.messages.splice(this.messages.indexOf(message), 1);
    this.restart(replica);
  }

  /** The actors of the replica that have ended, if all replicas hold the same writes of them. */
  retire(ended: Replica): void {
    const [member, floor] = [actorMember(ended.actor), logIndex(actorGrant(ended.actor) - 1)];
    const [entries = EMPTY_DOTS, ...others] = this.replicas.map(({ clock }) => restrictedTo(clock, member, floor));
    if (floor <= (this.retirements.get(member)?.floor ?? 0)) return;
    if (this.replicas.some(({ missing }) => missing.size > 0)) return;
    if (!others.every((dots) => equalDotSets(dots, entries))) return;
    const next = { member, floor, entries: new Map([[PARTITION, entries]]) };
    this.retirements.set(member, following(this.retirements.get(member), next, Number.POSITIVE_INFINITY));
    for (const write of this.writes) {
      const { actor: of } = write.dot;
      const isRetired = actorMember(of) === member && actorGrant(of) <= floor;
      if (isRetired && !hasDot(entries, write.dot)) this.lost.add(write);
    }
  }

  fold(replica: Replica): void {
    replica.fold(this.retirements.values());
  }

  private isRefused({ container, dots }: Message): boolean {
    const named = [...dots, ...decodeContainer(container).siblings.map(({ dot }) => dot)];
    return named.some((dot) => {
      const retirement = this.retirements.get(actorMember(dot.actor));
      return retirement !== undefined && isStray(retirement, PARTITION, dot);
    });
  }

  check(): void {
    for (const replica of this.replicas)
      for (const key of KEYS) this.expectTruth(key, replica.filled(key), replica.clock);
  }

  /** Every pair compares in full, all actors are retired, and then whatever is still under way arrives. */
  settle(): void {
    for (const to of this.replicas) for (const from of this.replicas) if (to !== from) to.takeAllFrom(from);
    this.check();
    this.retireAll();
    this.checkSettled();
    for (const message of this.messages) {
      const { to, key, container, dots } = message;
      // A write that came through its power cut in nothing but this message is news.
      if (this.isRefused(message) || !dots.every((dot) => hasDot(to.clock, dot))) continue;
      expect(to.merge(key, decodeContainer(container), dots), 'a late message changes nothing').toBe(false);
    }
  }

  /** What no replica has goes from the stored contexts too. */
  private retireAll(): void {
    for (const replica of this.replicas) {
      this.restart(replica);
      this.retire(replica);
      expect(this.retirements.get(actorMember(replica.actor))?.floor).toBe(actorGrant(replica.actor) - 1);
    }
    for (const replica of this.replicas) this.fold(replica);
  }

  private checkSettled(): void {
    this.check();
    const floors = Array.from(this.retirements.values(), ({ member, floor }) => floorOf(member, floor));
    const everything = floors.reduce(union, EMPTY_DOTS);
    for (const replica of this.replicas) {
      expect(replica.clock).toEqual(everything);
      for (const key of KEYS) {
        expect(encoded(replica.stored(key))).toEqual(encoded(this.replica(0).stored(key)));
        expect(replica.stored(key).context, 'context is empty at rest').toEqual(EMPTY_DOTS);
        const { siblings } = replica.stored(key);
        expect(replica.objects.has(key), 'a deleted key costs nothing').toBe(siblings.length > 0);
      }
    }
  }

  private expectTruth(key: string, { siblings, context }: Container, clock: DotSet): void {
    const writes = this.writesOf(key);
    const held = new Map(siblings.map(({ dot, version }) => [formatDot(dot), Buffer.from(version).toString()]));
    for (const { dot, value } of writes) {
      const covering = writes.filter((other) => hasDot(other.covered, dot)).map((other) => other.dot);
      const found = held.get(formatDot(dot));
      held.delete(formatDot(dot));
      if (found !== undefined) {
        expect(found, 'a phantom').toBe(value);
        expect(hasDot(context, dot), 'the context covers the siblings').toBe(true);
        expect(
          covering.some((other) => hasDot(clock, other)),
          `${formatDot(dot)} lives again`,
        ).toBe(false);
      } else if (value !== undefined && hasDot(context, dot)) {
        expect(this.isCovered(key, dot, context), `${formatDot(dot)} is lost`).toBe(true);
      }
    }
    expect([...held.keys()], 'a phantom').toEqual([]);
  }

  /** By a write in the context that has had its effect: of lost ones those that were overwritten where they were made, or deleted. */
  private isCovered(key: string, dot: Dot, context: DotSet): boolean {
    return this.writes.some((other) => {
      if (other.key !== key || !hasDot(other.covered, dot) || !hasDot(context, other.dot)) return false;
      return !this.lost.has(other) || other.value === undefined || this.isCovered(key, other.dot, context);
    });
  }

  private writesOf(key: string): readonly Write[] {
    return this.writes.filter((write) => write.key === key && !this.lost.has(write));
  }

  private contextsOf(key: string): DotSet[] {
    const contexts = this.contexts.get(key) ?? [];
    this.contexts.set(key, contexts);
    return contexts;
  }

  private send(to: Replica, key: string, container: Container, dots: readonly Dot[]): void {
    this.messages.push({ to, key, container: encoded(container), dots });
  }
}

const encoded = (container: Container) => Uint8Array.from(encodeContainer(container));

export const KEYS = ['a', 'b', 'c'];
const PARTITION = partition(0);
