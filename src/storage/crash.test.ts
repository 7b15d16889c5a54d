import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDot, type DotSet, EMPTY_DOTS } from '../core/causality/dot-set.ts';
import { type Partition, partition } from '../core/ids.ts';
import type { Sequence } from '../ports.ts';
import { MemoryLogDevice } from './memory-log-device.ts';
import { MemoryStateTable } from './memory-state-table.ts';
import {
  bytes,
  dot,
  HeldOperations,
  key,
  openTestStore,
  SMALL_LIMITS,
  type TestStore,
  text,
  turn,
} from './storage-builders.ts';

/** What is done to the store, and to the devices below it, one after the other. */
type Step =
  | { readonly kind: 'put'; readonly partition: number; readonly key: number; readonly length: number }
  | { readonly kind: 'remove'; readonly partition: number; readonly key: number }
  | { readonly kind: 'meta'; readonly key: number; readonly present: boolean }
  | { readonly kind: 'durable'; readonly level: 'os' | 'flush' }
  | { readonly kind: 'release'; readonly index: number }
  | { readonly kind: 'time'; readonly ms: number };

/**
 * One life of the store: its steps, then the end of the process alone, or a power cut that keeps of every unflushed write what `kept`
 * says (per mille).
 */
interface Life {
  readonly steps: readonly Step[];
  readonly end: 'process' | 'power';
  readonly kept: readonly number[];
  /** How many operations of the next start go on before the power fails again; undefined: all. */
  readonly startOperations: number | undefined;
}

const LAST_LIFE: Life = { steps: [], end: 'power', kept: [0], startOperations: undefined };

const partitionIndex = fc.integer({ min: 0, max: 2 });
const keyIndex = fc.integer({ min: 0, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('put'), partition: partitionIndex, key: keyIndex, length: fc.nat(200) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove'), partition: partitionIndex, key: keyIndex }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('meta'), key: keyIndex, present: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('durable'), level: fc.constantFrom('os', 'flush') }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('release'), index: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time'), ms: fc.constantFrom(0, 0, 500, 1000) }) },
);
const life: fc.Arbitrary<Life> = fc.record({
  steps: fc.array(step, { maxLength: 80, size: 'max' }),
  end: fc.constantFrom('process', 'power'),
  kept: fc.array(fc.oneof(fc.constant(0), fc.constant(1000), fc.nat(1000)), { minLength: 1, maxLength: 8 }),
  startOperations: fc.option(fc.nat(12), { nil: undefined }),
});

/** What the store should hold: replaced, never changed, so that every prefix of the changes stays at hand. */
interface Model {
  readonly objects: ReadonlyMap<string, string>;
  readonly meta: ReadonlyMap<string, string>;
  readonly clocks: ReadonlyMap<Partition, DotSet>;
}

const EMPTY_MODEL: Model = { objects: new Map(), meta: new Map(), clocks: new Map() };

function changed<V>(map: ReadonlyMap<string, V>, at: string, value: V | undefined): ReadonlyMap<string, V> {
  const next = new Map(map);
  if (value === undefined) next.delete(at);
  else next.set(at, value);
  return next;
}

function contentOf({ store }: TestStore): Model {
  const objects = new Map<string, string>();
  const clocks = new Map<Partition, DotSet>();
  for (let p = 0; p < 3; p++) {
    if (store.clock(partition(p)).length > 0) clocks.set(partition(p), store.clock(partition(p)));
    for (let k = 0; k < 5; k++) {
      const object = text(store.read(partition(p), key(`${k}`)));
      if (object !== undefined) objects.set(`${p}/${k}`, object);
    }
  }
  const meta = new Map(store.metaWithPrefix('').map((record) => [record.key, text(record.value) ?? '']));
  return { objects, meta, clocks };
}

/** Sorted, so that two models that hold the same are equal. */
function comparable({ objects, meta, clocks }: Model): unknown {
  return [[...objects].sort(), [...meta].sort(), [...clocks].sort(([a], [b]) => a - b)];
}

class Lives {
  private log = new MemoryLogDevice(600);
  private state = new MemoryStateTable();
  /** The model after each change; those before `base` are history. */
  private models: Model[] = [EMPTY_MODEL];
  private counter = 0;
  private durable: Record<'os' | 'flush', Sequence> = { os: 0, flush: 0 };
  /** What the next start must still find, given how the last life ended. */
  private promised: Sequence = 0;

  async live({ steps, end, kept, startOperations }: Life): Promise<void> {
    const held = new HeldOperations();
    const world = await this.start(held, startOperations, kept);
    for (const next of steps) await this.take(next, world, held);
    if (end === 'power') this.cutPower(kept);
    else this.promised = Math.max(this.durable.flush, this.durable.os);
  }

  /** Starts; when the power is to fail during the start, starts again. */
  private async start(
    held: HeldOperations,
    operations: number | undefined,
    kept: readonly number[],
  ): Promise<TestStore> {
    if (operations !== undefined) {
      const doomed = new HeldOperations();
      this.attach(doomed);
      void openTestStore({ log: this.log, state: this.state, limits: SMALL_LIMITS });
      await turn();
      for (let i = 0; i < operations; i++) await doomed.release();
      this.cutPower(kept);
    }
    this.attach(held);
    const opening = openTestStore({ log: this.log, state: this.state, limits: SMALL_LIMITS });
    await turn();
    await held.releaseAll();
    const world = await opening;
    await this.check(world);
    return world;
  }

  /** What is there is a prefix of the changes, which holds all that were durable, objects and clocks alike. */
  private async check(world: TestStore): Promise<void> {
    const through = world.store.applyMeta([]) - 1;
    expect(through).toBeGreaterThanOrEqual(this.promised);
    expect(through).toBeLessThan(this.models.length);
    const model = this.models[through] ?? EMPTY_MODEL;
    expect(comparable(contentOf(world))).toEqual(comparable(model));
    this.models = [...this.models.slice(0, through + 1), model];
    // A start brings all it finds into the state, so from here on it is on disk.
    this.durable = { os: through, flush: through };
  }

  private async take(next: Step, world: TestStore, held: HeldOperations): Promise<void> {
    if (next.kind === 'release') return held.release(next.index);
    if (next.kind === 'time') {
      world.clock.advance(next.ms);
      return turn();
    }
    if (next.kind === 'durable') {
      const sequence = this.models.length - 1;
      void world.store.durable(sequence, next.level).then(() => {
        this.durable[next.level] = Math.max(this.durable[next.level], sequence);
      });
      return turn();
    }
    const model = this.change(next, world);
    this.models.push(model);
    expect(comparable(contentOf(world))).toEqual(comparable(model));
  }

  private change(next: Extract<Step, { kind: 'put' | 'remove' | 'meta' }>, { store }: TestStore): Model {
    const model = this.models.at(-1) ?? EMPTY_MODEL;
    const value = `${++this.counter}`;
    if (next.kind === 'meta') {
      const at = `m${next.key}`;
      store.applyMeta([{ key: at, value: next.present ? bytes(value) : undefined }]);
      return { ...model, meta: changed(model.meta, at, next.present ? value : undefined) };
    }
    const where = partition(next.partition);
    const object = next.kind === 'put' ? value.padEnd(next.length, '.') : undefined;
    store.apply(where, key(`${next.key}`), object === undefined ? undefined : bytes(object), [dot(this.counter)]);
    const clocks = new Map(model.clocks).set(where, addDot(model.clocks.get(where) ?? EMPTY_DOTS, dot(this.counter)));
    return { ...model, objects: changed(model.objects, `${next.partition}/${next.key}`, object), clocks };
  }

  private attach(held: HeldOperations): void {
    this.log = this.log.afterProcessCrash(held.settle);
    this.state = this.state.afterPowerCut(held.settle);
  }

  private cutPower(kept: readonly number[]): void {
    this.promised = this.durable.flush;
    let at = 0;
    this.log = this.log.afterPowerCut((length) => Math.round((length * (kept[at++ % kept.length] ?? 0)) / 1000));
    this.state = this.state.afterPowerCut();
  }
}

describe('a power cut at any moment', () => {
  it('leaves a prefix of the changes that holds all that were durable', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4, size: 'max' }), async (all) => {
        const lives = new Lives();
        for (const one of [...all, LAST_LIFE]) await lives.live(one);
      }),
      { numRuns: Number(process.env.QUORATE_RUNS ?? 150) },
    );
  });
});
