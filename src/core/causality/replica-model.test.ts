import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
import { type Actor, type Dot, formatDot } from './dot.ts';
import { addDot, type DotSet, dotSetOf, EMPTY_DOTS, hasDot, isSubset, subtract, union } from './dot-set.ts';
import { applyRemote, coordinateWrite, type ReplicaUpdate } from './replica-update.ts';

/**
 * The owners of one partition and a few keys, under any schedule of writes, reads, repairs, lost, late and repeated messages,
 * full comparisons and restarts. A ledger of all writes says what a replica must hold at every moment. For a write d of the key:
 *
 *   sibling d             =>  d was put, is in the context, and no write in the clock covers d     (no phantom, no resurrection)
 *   d put, in the context =>  sibling d, or a write in the context covers d                        (nothing lost)
 *
 * The first line says clock and not context: a blind write's answer covers what it replaced, not what that had replaced before, so a
 * context that a client hands on may name a write and not what it covers. Once the clocks are equal the lines meet.
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
    for (const [key, stored] of this.objects) this.put(key, strip(stored, this.clock));
  }

  private put(key: string, stored: Container): void {
    if (isVoid(stored)) this.objects.delete(key);
    else this.objects.set(key, stored);
  }
}

class World {
  readonly replicas: readonly Replica[];
  readonly writes: Write[] = [];
  readonly messages: Message[] = [];
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

  /** The write's own context as its writer is told it: what it covers and its dot. */
  write(at: Replica, key: string, deletes: boolean, context: DotSet | undefined): DotSet {
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
    this.contextsOf(key).push(told);
    return told;
  }

  read(from: readonly Replica[], key: string, repairs: boolean): void {
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

  check(): void {
    for (const replica of this.replicas)
      for (const key of KEYS) this.expectTruth(key, replica.filled(key), replica.clock);
  }

  /** Every pair compares in full, and then whatever is still under way arrives. */
  settle(): void {
    for (const to of this.replicas) for (const from of this.replicas) if (to !== from) to.takeAllFrom(from);
    this.checkSettled();
    for (const { to, key, container, dots } of this.messages) {
      expect(to.merge(key, decodeContainer(container), dots), 'a late message changes nothing').toBe(false);
    }
  }

  private checkSettled(): void {
    this.check();
    const everything = dotSetOf(this.writes.map((write) => write.dot));
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
        expect(
          covering.some((other) => hasDot(context, other)),
          `${formatDot(dot)} is lost`,
        ).toBe(true);
      }
    }
    expect([...held.keys()], 'a phantom').toEqual([]);
  }

  private writesOf(key: string): readonly Write[] {
    return this.writes.filter((write) => write.key === key);
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

const KEYS = ['a', 'b', 'c'];

const pick = fc.nat({ max: 1e6 });
const anyKey = fc.constantFrom(...KEYS);
const step = <T extends object>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });
const kind = <K extends string>(name: K) => fc.constant(name);
const anyStep = fc.oneof(
  step(
    6,
    fc.record({
      kind: kind('write'),
      at: pick,
      key: anyKey,
      deletes: fc.nat({ max: 3 }).map((draw) => draw === 0),
      context: fc.constantFrom('blind' as const, 'empty' as const, 'held' as const, 'held' as const),
      held: pick,
    }),
  ),
  step(
    4,
    fc.record({
      kind: kind('read'),
      from: fc.array(pick, { minLength: 1, maxLength: 5 }),
      key: anyKey,
      repairs: fc.boolean(),
    }),
  ),
  step(8, fc.record({ kind: kind('deliver'), message: pick, again: fc.boolean() })),
  step(2, fc.record({ kind: kind('drop'), message: pick })),
  step(1, fc.record({ kind: kind('exchange'), to: pick, from: pick })),
  step(1, fc.record({ kind: kind('restart'), at: pick })),
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

function run(world: World, step: Step): void {
  switch (step.kind) {
    case 'write': {
      const held = step.context === 'held' ? world.contextOf(step.key, step.held) : EMPTY_DOTS;
      world.write(world.replica(step.at), step.key, step.deletes, step.context === 'blind' ? undefined : held);
      return;
    }
    case 'read':
      world.read([...new Set(step.from.map((at) => world.replica(at)))], step.key, step.repairs);
      return;
    case 'deliver':
      world.deliver(step.message, step.again);
      return;
    case 'drop':
      world.drop(step.message);
      return;
    case 'exchange':
      world.replica(step.to).takeAllFrom(world.replica(step.from));
      return;
    case 'restart':
      world.restart(world.replica(step.at));
  }
}

describe('replicas of a partition', () => {
  it('hold exactly what their context says, at every step, and converge to equal contents', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(anyStep, { maxLength: 60, size: 'max' }), (size, steps) => {
        const world = new World(size);
        for (const step of steps) {
          run(world, step);
          world.check();
        }
        world.settle();
      }),
      { numRuns: 400 },
    );
  });

  it('keep one sibling of each writer that goes on from its own last answer, wherever it writes (H2)', () => {
    const turn = fc.record({ writer: fc.nat({ max: 1 }), at: pick, deliveries: fc.array(pick, { maxLength: 3 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(turn, { maxLength: 40, size: 'max' }), (size, turns) => {
        const world = new World(size);
        const told = new Map<number, DotSet>();
        for (const { writer, at, deliveries } of turns) {
          told.set(writer, world.write(world.replica(at), 'a', false, told.get(writer) ?? EMPTY_DOTS));
          for (const message of deliveries) world.deliver(message, false);
        }
        world.settle();
        const left = world.replica(0).stored('a');
        expect(left.siblings.length).toBe(told.size);
        for (const last of told.values()) expect(isSubset(last, world.replica(0).clock)).toBe(true);
      }),
    );
  });

  it('let an acknowledged write be seen by every read whose quorum meets the write (R + W > N)', () => {
    const quorums = fc.integer({ min: 1, max: 5 }).chain((n) =>
      fc.record({
        n: fc.constant(n),
        w: fc.integer({ min: 1, max: n }),
        order: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
      }),
    );
    fc.assert(
      fc.property(quorums, fc.boolean(), ({ n, w, order }, deletes) => {
        const world = new World(n);
        const at = world.replica(0);
        world.write(at, 'a', false, undefined);
        while (world.messages.length > 0) world.deliver(0, false);
        world.write(at, 'a', deletes, undefined);
        for (let acked = 1; acked < w; acked++) world.deliver(0, false);
        const asked = order.filter((i) => i < n).slice(0, n - w + 1);
        const merged = asked.map((i) => world.replica(i).filled('a')).reduce(merge);
        const values = merged.siblings.map(({ version }) => Buffer.from(version).toString());
        expect(values).toEqual(deletes ? [] : ['value 1']);
      }),
    );
  });
});
