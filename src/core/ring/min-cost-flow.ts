import { invariant } from '../invariant.ts';

export interface EdgeLimits {
  readonly lower: number;
  readonly upper: number;
  /** Per unit of flow; not negative. */
  readonly cost: number;
}

/**
 * A network in which supplies must reach demands at the least total cost; all quantities are integers.
 *
 * `solve` answers whether any flow keeps every edge between its limits and meets every supply and demand exactly;
 * if so, `flow` tells the one found, and no such flow costs less. The same calls in the same order find the same flow;
 * among equals, edges added earlier tend to be used.
 *
 * Successive shortest paths with node potentials, all paths of one length at a time by blocking flows
 * (primal-dual; Ahuja, Magnanti, Orlin, "Network Flows", 9.8). Costs are small, so there are few lengths.
 */
export class FlowNetwork {
  private readonly source: number;
  private readonly target: number;
  private readonly excess: number[];
  // Edge e and its reverse e ^ 1; `room` is what may still flow.
  private readonly tail: number[] = [];
  private readonly head: number[] = [];
  private readonly room: number[] = [];
  private readonly cost: number[] = [];
  private readonly lower: number[] = [];

  constructor(nodes: number) {
    this.source = nodes;
    this.target = nodes + 1;
    this.excess = new Array<number>(nodes).fill(0);
  }

  /** `units` start at the node; negative: they must end there. Adds to what was said before. */
  supply(node: number, units: number): void {
    this.excess[node] = at(this.excess, node) + units;
  }

  /** Answers the edge's number, for {@link FlowNetwork.flow}. */
  edge(from: number, to: number, { lower, upper, cost }: EdgeLimits): number {
    invariant(lower >= 0 && lower <= upper && cost >= 0, `edge limits ${lower}..${upper} at ${cost}`);
    // What must flow is taken as having flowed; the search decides on the rest.
    this.supply(from, -lower);
    this.supply(to, lower);
    return this.pair(from, to, upper - lower, cost, lower);
  }

  solve(): boolean {
    let toSend = 0;
    for (const [node, units] of this.excess.entries()) {
      if (units > 0) this.pair(this.source, node, units, 0, 0);
      if (units < 0) this.pair(node, this.target, -units, 0, 0);
      toSend += Math.max(0, units);
    }
    const search = new Search(this.tail, this.head, this.room, this.cost, this.source, this.target);
    return search.run() === toSend;
  }

  flow(edge: number): number {
    return at(this.lower, edge >> 1) + at(this.room, edge ^ 1);
  }

  private pair(from: number, to: number, room: number, cost: number, lower: number): number {
    const edge = this.tail.push(from, to) - 2;
    this.head.push(to, from);
    this.room.push(room, 0);
    this.cost.push(cost, -cost);
    this.lower.push(lower);
    return edge;
  }
}

const FAR = 0x7fff_ffff;

/** One run of the search. Flat arrays: with 1024 partitions and 50 members there are some 10^5 edges. */
class Search {
  private readonly head: readonly number[];
  private readonly room: number[];
  private readonly cost: readonly number[];
  private readonly source: number;
  private readonly target: number;
  /** The edges that leave node v: edges[first[v]] up to edges[first[v + 1]]. */
  private readonly first: Int32Array;
  private readonly edges: Int32Array;
  private readonly potential: Float64Array;
  private readonly distance: Int32Array;
  private readonly level: Int32Array;
  private readonly next: Int32Array;
  private readonly queue: Int32Array;

  constructor(
    tail: readonly number[],
    head: readonly number[],
    room: number[],
    cost: readonly number[],
    source: number,
    target: number,
  ) {
    const nodes = Math.max(source, target) + 1;
    this.head = head;
    this.room = room;
    this.cost = cost;
    this.source = source;
    this.target = target;
    this.first = new Int32Array(nodes + 1);
    this.edges = new Int32Array(tail.length);
    this.potential = new Float64Array(nodes);
    this.distance = new Int32Array(nodes);
    this.level = new Int32Array(nodes);
    this.next = new Int32Array(nodes);
    this.queue = new Int32Array(nodes);
    for (const node of tail) this.first[node + 1] = at(this.first, node + 1) + 1;
    for (let node = 0; node < nodes; node++) this.first[node + 1] = at(this.first, node + 1) + at(this.first, node);
    const place = this.first.slice();
    for (const [edge, node] of tail.entries()) {
      const position = at(place, node);
      this.edges[position] = edge;
      place[node] = position + 1;
    }
  }

  /** Units that reach the target. */
  run(): number {
    let sent = 0;
    while (this.reprice()) {
      while (this.layer()) {
        this.next.set(this.first.subarray(0, this.next.length));
        sent += this.push(this.source, FAR);
      }
    }
    return sent;
  }

  /** Shortest distances by reduced cost (Dial's buckets), added to the potentials. False when the target is cut off. */
  private reprice(): boolean {
    const { distance, target } = this;
    distance.fill(FAR);
    distance[this.source] = 0;
    const buckets: number[][] = [[this.source]];
    let reached = FAR;
    for (let length = 0; length < buckets.length && reached === FAR; length++) {
      const bucket = buckets[length] ?? [];
      // The bucket grows while it is walked: edges of reduced cost 0 lead to nodes of the same distance.
      for (let position = 0; position < bucket.length; position++) {
        const node = at(bucket, position);
        if (at(distance, node) === length) this.relax(node, length, buckets);
      }
      if (at(distance, target) === length) reached = length;
    }
    if (reached === FAR) return false;
    for (let node = 0; node < distance.length; node++) {
      this.potential[node] = at(this.potential, node) + Math.min(at(distance, node), reached);
    }
    return true;
  }

  private relax(node: number, length: number, buckets: number[][]): void {
    const end = at(this.first, node + 1);
    for (let position = at(this.first, node); position < end; position++) {
      const edge = at(this.edges, position);
      if (at(this.room, edge) === 0) continue;
      const to = at(this.head, edge);
      const through = length + this.reducedCost(node, to, edge);
      if (through >= at(this.distance, to)) continue;
      this.distance[to] = through;
      while (buckets.length <= through) buckets.push([]);
      buckets[through]?.push(to);
    }
  }

  /** Breadth-first levels over edges of reduced cost 0. False when the target is not reached. */
  private layer(): boolean {
    const { level, queue } = this;
    level.fill(-1);
    level[this.source] = 0;
    queue[0] = this.source;
    let queued = 1;
    for (let position = 0; position < queued; position++) {
      const node = at(queue, position);
      const end = at(this.first, node + 1);
      for (let index = at(this.first, node); index < end; index++) {
        const edge = at(this.edges, index);
        const to = at(this.head, edge);
        if (at(level, to) >= 0 || at(this.room, edge) === 0 || this.reducedCost(node, to, edge) !== 0) continue;
        level[to] = at(level, node) + 1;
        queue[queued++] = to;
      }
    }
    return at(level, this.target) >= 0;
  }

  /** Sends up to `limit` from the node to the target, level by level. A path visits a node once: the depth is bounded. */
  private push(node: number, limit: number): number {
    if (node === this.target) return limit;
    let sent = 0;
    const end = at(this.first, node + 1);
    const below = at(this.level, node) + 1;
    for (let position = at(this.next, node); position < end; position++) {
      // Not passed over until it is of no further use: this is what makes the flow blocking in linear time.
      this.next[node] = position;
      const edge = at(this.edges, position);
      const to = at(this.head, edge);
      const room = at(this.room, edge);
      if (room === 0 || at(this.level, to) !== below || this.reducedCost(node, to, edge) !== 0) continue;
      const part = this.push(to, Math.min(limit - sent, room));
      this.room[edge] = room - part;
      this.room[edge ^ 1] = at(this.room, edge ^ 1) + part;
      sent += part;
      if (sent === limit) return sent;
    }
    this.next[node] = end;
    return sent;
  }

  private reducedCost(from: number, to: number, edge: number): number {
    return at(this.cost, edge) + at(this.potential, from) - at(this.potential, to);
  }
}

function at(numbers: ArrayLike<number>, index: number): number {
  const value = numbers[index];
  invariant(value !== undefined, 'index within the array');
  return value;
}
