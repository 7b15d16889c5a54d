import type { ClusterShape, Fault, Operation, Plan } from './plan.ts';

/** Three nodes that own everything, and no mistakes of their clocks. */
const SHAPE: ClusterShape = {
  ...{ nodes: 3, zones: 1, n: 3, partitions: 1, durability: 'flush', keys: 12, siblings: 32 },
  clocks: [0, 1, 2].map(() => ({ rate: 1, offsetMs: 0 })),
};

export type Ask = Partial<Operation> & Pick<Operation, 'kind'>;

/** Requests every `everyMs`: of the i-th `ask(i)` says what it is. */
export function requests(
  fromMs: number,
  toMs: number,
  everyMs: number,
  ask: (i: number) => Ask,
): Omit<Operation, 'id'>[] {
  const count = Math.floor((toMs - fromMs) / everyMs);
  return Array.from({ length: count }, (_, i) => ({
    ...{
      atMs: fromMs + i * everyMs,
      client: i % 4,
      node: i % 3,
      key: i % SHAPE.keys,
      level: 'quorum' as const,
      owners: 0,
    },
    ...{ timeoutMs: 2000, context: 'seen' as const },
    ...ask(i),
  }));
}

/** The same on more nodes than owners, so that some coordinate reads of what they do not hold. */
export function onFive(onThree: Plan): Plan {
  const clocks = Array.from({ length: 5 }, () => ({ rate: 1, offsetMs: 0 }));
  return { ...onThree, shape: { ...onThree.shape, nodes: 5, clocks } };
}

export function plan(
  seed: number,
  healMs: number,
  operations: readonly Omit<Operation, 'id'>[],
  faults: readonly Fault[],
): Plan {
  const inOrder = operations.toSorted((a, b) => a.atMs - b.atMs).map((operation, id) => ({ ...operation, id }));
  const keys = 1 + Math.max(...inOrder.map(({ key }) => key));
  return { seed, shape: { ...SHAPE, keys }, healMs, operations: inOrder, faults };
}

/** Every `everyMs` from the first second on, ten times. */
export function tenTimes(everyMs: number, fault: (atMs: number) => Fault): readonly Fault[] {
  return Array.from({ length: 10 }, (_, i) => fault(1000 + i * everyMs));
}

/** Every `everyMs` from the first second on. */
export function rounds<T>(count: number, everyMs: number, round: (atMs: number, key: number) => readonly T[]): T[] {
  return Array.from({ length: count }, (_, i) => round(1000 + i * everyMs, i)).flat();
}

export function read(atMs: number, key: number, node: number): Omit<Operation, 'id'> {
  return { atMs, key, node, client: node, kind: 'get', level: 'quorum', owners: 0, timeoutMs: 250, context: 'seen' };
}

/** With the first node silent: it coordinates blind writes, and keeps this one to itself. */
export function loneWrite(atMs: number, key: number): Omit<Operation, 'id'> {
  return { ...read(atMs, key, 0), kind: 'put', timeoutMs: 15, context: 'none' };
}

export function disk(node: number, slowness: number): Extract<Fault, { kind: 'disk' }> {
  return { kind: 'disk', atMs: 100, node, slowness, isFull: false, readErrors: 0, forMs: 25_000 };
}

export function crash(atMs: number, node: number, forMs = 5): Fault {
  return { kind: 'crash', atMs, node, moment: 'now', power: false, silent: false, forMs };
}

export function powerCut(atMs: number, node: number): Fault {
  return { kind: 'crash', atMs, node, moment: 'now', power: true, silent: true, forMs: 100 };
}

/** The power fails as soon as a client has such an answer, with disks that slow. */
export function outage(after: 'read' | 'written', slowness: number): (atMs: number) => Fault {
  return (atMs) => ({ kind: 'outage', atMs, after, slowness, power: true, forMs: 100 });
}
