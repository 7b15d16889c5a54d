import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { merge } from './container.ts';
import { type DotSet, EMPTY_DOTS, isSubset } from './dot-set.ts';
import { KEYS, World } from './test-world.ts';

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
      cut: fc.nat({ max: 7 }).map((draw) => draw === 0),
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
  step(1, fc.record({ kind: kind('wipe'), at: pick })),
  step(1, fc.record({ kind: kind('retire'), at: pick })),
  step(2, fc.record({ kind: kind('fold'), at: pick })),
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

function run(world: World, step: Step): void {
  switch (step.kind) {
    case 'write': {
      const held = step.context === 'held' ? world.contextOf(step.key, step.held) : EMPTY_DOTS;
      const context = step.context === 'blind' ? undefined : held;
      world.write(world.replica(step.at), step.key, step.deletes, context, step.cut);
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
      return;
    case 'wipe':
      world.wipe(world.replica(step.at));
      return;
    case 'retire':
      world.retire(world.replica(step.at));
      return;
    case 'fold':
      world.fold(world.replica(step.at));
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
