import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { vectorsFolder } from '../../../test/vectors.ts';
import { actor, bytesOf } from './causality-builders.ts';
import { type Container, EMPTY_CONTAINER, fill, merge, strip } from './container.ts';
import { type Actor, compareDots } from './dot.ts';
import { addDot, type DotSet, EMPTY_DOTS, equalDotSets, isSubset, union } from './dot-set.ts';
import { applyRemote, coordinateWrite } from './replica-update.ts';

/**
 * The cases of the reference implementation of dotted version vector sets. It keeps one clock per key, so a key is a partition of
 * its own here. Its put without a context keeps what is there: that is our write with an empty context, not our blind one.
 */
type Vector = readonly (readonly [id: string, counter: number])[];
/** `values` newest first: they carry the last counters of their id. */
type Entry = readonly [id: string, counter: number, values: readonly string[]];
interface Clock {
  readonly entries: readonly Entry[];
}
type TraceStep =
  | { op: 'get'; i: number; replica: string; ctx: Record<string, number>; values: string[] }
  | {
      op: 'put';
      i: number;
      replica: string;
      value: string;
      ctxFromStep: number | null;
      dot: [string, number];
      state: Clock;
    }
  | { op: 'sync'; i: number; from: string; to: string; state: Clock | null };
interface Trace {
  readonly trace: number;
  readonly steps: readonly TraceStep[];
  readonly finalMergedValues: readonly string[];
  readonly finalMerged: Clock;
}
interface Cases {
  readonly update: Record<string, { readonly out: Clock }>;
  readonly sync: {
    readonly defs: Record<string, Clock | string>;
    readonly cases: { sync: [string, string]; out: Clock }[];
    readonly commutative_pairs: [string, string][];
  };
  readonly sync_update: { readonly A0: Clock; readonly VV1: Vector; readonly A1: Clock; readonly A2: Clock };
  readonly event: readonly { readonly on: Entry[]; readonly id: string; readonly v: string; readonly out: Entry[] }[];
  readonly less: { readonly true: [string, string][]; readonly false: [string, string][] };
  readonly put_ack_variant: { readonly steps: { who: string; v: string; ctx: string; server: string[] }[] };
}

const actorOfId = (id: string): Actor => actor(id.charCodeAt(0) - 96);
const dotsOfVector = (vector: Vector): DotSet =>
  vector.filter(([, last]) => last > 0).map(([id, last]) => ({ actor: actorOfId(id), runs: [1, last] }));
const valuesOf = (container: Container) =>
  container.siblings.map(({ version }) => Buffer.from(version).toString()).sort();
const valuesOfClock = (clock: Clock) => clock.entries.flatMap(([, , values]) => values).toSorted();
const contextOfClock = (clock: Clock) => dotsOfVector(clock.entries.map(([id, last]) => [id, last] as const));

function containerOfClock(clock: Clock): Container {
  const siblings = clock.entries.flatMap(([id, last, values]) =>
    values.map((value, i) => ({ dot: { actor: actorOfId(id), counter: last - i }, version: bytesOf(value) })),
  );
  return { siblings: siblings.toSorted((a, b) => compareDots(a.dot, b.dot)), context: contextOfClock(clock) };
}

/** The reference's `update(new(context, value), server, id)`, on filled containers. */
function update(server: Container, id: string, value: string, context: DotSet = EMPTY_DOTS): Container {
  const stored = strip(server, server.context);
  return coordinateWrite(stored, server.context, actorOfId(id), bytesOf(value), context).filled;
}

class Replica {
  private stored = EMPTY_CONTAINER;
  private clock = EMPTY_DOTS;

  get filled(): Container {
    return fill(this.stored, this.clock);
  }

  put(id: string, value: string, context: DotSet) {
    const written = coordinateWrite(this.stored, this.clock, actorOfId(id), bytesOf(value), context);
    this.stored = written.stored;
    this.clock = written.clock;
    return written;
  }

  takeAllFrom(sender: Replica): void {
    const merged = applyRemote(this.stored, this.clock, sender.filled, []);
    this.clock = union(merged?.clock ?? this.clock, sender.clock);
    this.stored = strip(merged?.stored ?? this.stored, this.clock);
  }
}

const folder = vectorsFolder();
const read = (name: string): string => readFileSync(path.join(folder ?? '', 'dvvset', name), 'utf8');

describe.skipIf(folder === undefined)('dotted version vector sets, against the reference implementation', () => {
  const cases: Cases = folder === undefined ? undefined : JSON.parse(read('dvvset_eunit.json'));

  it('updates alike', () => {
    const a0 = update(EMPTY_CONTAINER, 'a', 'v1');
    const a1 = update(a0, 'a', 'v2', a0.context);
    const a2 = update(a1, 'b', 'v3', a1.context);
    const a3 = update(a1, 'b', 'v4', a0.context);
    const a4 = update(a1, 'a', 'v5', a0.context);
    const ours = { A0: a0, A1: a1, A2: a2, A3: a3, A4: a4 };
    expect(Object.keys(cases.update)).toEqual(Object.keys(ours));
    for (const [name, container] of Object.entries(ours)) {
      expect(container, name).toEqual(containerOfClock(cases.update[name]?.out ?? { entries: [] }));
    }
  });

  it('merges alike', () => {
    const defs = new Map(
      Object.entries(cases.sync.defs).map(([name, def]) => [name, containerOfClock(clockOfDefinition(def))]),
    );
    const named = (name: string) => defs.get(name) ?? expect.fail(`no definition of ${name}`);
    for (const { sync, out } of cases.sync.cases) {
      expect(merge(named(sync[0]), named(sync[1])), sync.join()).toEqual(containerOfClock(out));
    }
    for (const [a, b] of cases.sync.commutative_pairs)
      expect(merge(named(a), named(b))).toEqual(merge(named(b), named(a)));
  });

  it('keeps what was written after a context was read', () => {
    const { A0, VV1, A1, A2 } = cases.sync_update;
    const [a0, a1] = [containerOfClock(A0), containerOfClock(A1)];
    expect(update(a0, 'a', 'v2')).toEqual(a1);
    expect(update(a1, 'a', 'v3', dotsOfVector(VV1))).toEqual(containerOfClock(A2));
  });

  it('adds a concurrent value alike', () => {
    for (const { on, id, v, out } of cases.event) {
      expect(update(containerOfClock({ entries: on }), id, v)).toEqual(containerOfClock({ entries: out }));
    }
  });

  it('orders histories alike', () => {
    const a = update(EMPTY_CONTAINER, 'a', 'v1');
    const b = update(a, 'a', 'v2', a.context);
    const [b2, b3] = [update(a, 'b', 'v2', a.context), update(a, 'z', 'v2', a.context)];
    const c = update(b, 'c', 'v3', a.context);
    const d = merge(update(c, 'd', 'v4', c.context), b2);
    const named = new Map(
      Object.entries({ A: a, B: b, B2: b2, B3: b3, C: c, D: d }).map(([name, { context }]) => [name, context]),
    );
    const less = ([x, y]: [string, string]) => {
      const [left, right] = [named.get(x) ?? expect.fail(x), named.get(y) ?? expect.fail(y)];
      return isSubset(left, right) && !equalDotSets(left, right);
    };
    expect(cases.less.true.map(less)).not.toContain(false);
    expect(cases.less.false.map(less)).not.toContain(true);
  });

  it('keeps one value of each client that goes on from its own last answer', () => {
    const server = new Replica();
    const answers = new Map<string, DotSet>();
    for (const { who, v, ctx, server: values } of cases.put_ack_variant.steps) {
      const source = /^ack\((.*)\)$/.exec(ctx)?.[1];
      const acked = source === undefined ? EMPTY_DOTS : (answers.get(source) ?? expect.fail(ctx));
      const { dot, covered } = server.put('r', v, ctx === 'read of all' ? server.filled.context : acked);
      answers.set(v, addDot(covered, dot));
      expect(valuesOf(server.filled), `${who} writes ${v}`).toEqual(values);
    }
  });

  it('keeps and discards the same values at every step of every trace', () => {
    const traces: Trace[] = read('dvvset_traces.ndjson')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(traces.length).toBeGreaterThan(0);
    for (const trace of traces) replay(trace);
  });
});

function replay({ trace, steps, finalMerged, finalMergedValues }: Trace): void {
  const replicas = new Map(['a', 'b', 'c'].map((id) => [id, new Replica()]));
  const at = (id: string) => replicas.get(id) ?? expect.fail(`no replica ${id}`);
  const contexts = new Map<number, DotSet>();
  for (const step of steps) {
    const where = `trace ${trace}, step ${step.i}`;
    if (step.op === 'get') {
      const { filled } = at(step.replica);
      contexts.set(step.i, filled.context);
      expect(valuesOf(filled), where).toEqual(step.values.toSorted());
      expect(filled.context, where).toEqual(dotsOfVector(Object.entries(step.ctx).toSorted()));
      continue;
    }
    if (step.op === 'put') {
      const context = step.ctxFromStep === null ? EMPTY_DOTS : contexts.get(step.ctxFromStep);
      const { dot } = at(step.replica).put(step.replica, step.value, context ?? expect.fail(where));
      expect(dot, where).toEqual({ actor: actorOfId(step.dot[0]), counter: step.dot[1] });
    } else {
      at(step.to).takeAllFrom(at(step.from));
    }
    const { filled } = at(step.op === 'put' ? step.replica : step.to);
    expect(filled, where).toEqual(containerOfClock(step.state ?? { entries: [] }));
  }
  const merged = [...replicas.values()].map((replica) => replica.filled).reduce(merge);
  expect(valuesOf(merged)).toEqual(finalMergedValues);
  expect(merged).toEqual(containerOfClock(finalMerged));
  expect(valuesOf(merged)).toEqual(valuesOfClock(finalMerged));
}

/** A clock, or a text that ends in one: `update(...) = {...}`. */
function clockOfDefinition(definition: Clock | string): Clock {
  return typeof definition === 'string' ? JSON.parse(definition.slice(definition.indexOf('{'))) : definition;
}
