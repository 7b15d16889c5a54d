import { setTimeout as wait } from 'node:timers/promises';
import type { Dice } from '../../simulator/chance.ts';
import type { RealCluster } from '../real-cluster.ts';
import { withoutDebts } from './agreement.ts';

export type FaultKind =
  | 'kill one'
  | 'kill two'
  | 'kill all'
  | 'kill in a split'
  | 'freeze one'
  | 'cut one off'
  | 'cut what one sends'
  | 'cut what one hears'
  | 'cut one direction between two'
  | 'split 2 from 3'
  | 'refuse connections'
  | 'flap'
  | 'empty a folder'
  | 'put back an older folder';

type Range = readonly [least: number, most: number];

/** How long things last, in ms. */
export interface Pace {
  readonly fault: Range;
  /** Of a node that stands still, or is cut off and then killed. */
  readonly freeze: Range;
  readonly calm: Range;
}

/** Most faults last longer than it takes the nodes to notice them: a second. */
export const PACES = {
  brisk: { fault: [1200, 2000], freeze: [2000, 2500], calm: [300, 800] },
  steady: { fault: [1500, 4000], freeze: [2000, 5000], calm: [500, 1500] },
} as const satisfies Record<string, Pace>;

const FLAPS: Range = [4, 8];
const FLAP_MS: Range = [100, 400];

/** Does to a proxied cluster what happens to clusters: one fault at a time, healed before the next one. */
export class Nemesis {
  /** How many of each kind there were. */
  readonly totals = new Map<FaultKind, number>();
  private readonly cluster: RealCluster;
  private readonly dice: Dice;
  private readonly pace: Pace;
  private readonly say: (text: string) => void;
  private readonly faults: Readonly<Record<FaultKind, () => Promise<void>>>;

  constructor(cluster: RealCluster, dice: Dice, pace: Pace, say: (text: string) => void) {
    this.cluster = cluster;
    this.dice = dice;
    this.pace = pace;
    this.say = say;
    this.faults = {
      'kill one': () => this.kill(1),
      'kill two': () => this.kill(2),
      'kill all': () => this.kill(cluster.ids.length),
      'kill in a split': () => this.killInSplit(),
      'freeze one': () => this.freeze(),
      'cut one off': () => this.cut(1),
      'cut what one sends': () => this.deafen((one, others) => others.map((other) => [one, other])),
      'cut what one hears': () => this.deafen((one, others) => others.map((other) => [other, one])),
      'cut one direction between two': () => this.deafen((one, [other = one]) => [[one, other]]),
      'split 2 from 3': () => this.cut(2),
      'refuse connections': () => this.refuse(),
      flap: () => this.flap(),
      'empty a folder': () => this.loseFolder(),
      'put back an older folder': () => this.putBack(),
    };
  }

  /** Every kind once, in an order of chance, and so on until the time is up. */
  async run(endMs: number): Promise<void> {
    for (let round = 1; round === 1 || performance.now() < endMs; round++) {
      for (const kind of this.shuffled(Object.keys(this.faults) as FaultKind[])) {
        if (round > 1 && performance.now() >= endMs) return;
        this.totals.set(kind, (this.totals.get(kind) ?? 0) + 1);
        await this.faults[kind]();
        await this.for(this.pace.calm);
      }
    }
  }

  private async kill(count: number): Promise<void> {
    const ids = this.some(count);
    this.say(`kill -9 of ${ids}`);
    await this.cluster.kill(ids);
    await this.for(this.pace.fault);
    await this.restart(ids);
  }

  /** What a node has taken for others while it was cut off survives it. */
  private async killInSplit(): Promise<void> {
    const [victim = 'n1', ...rest] = this.some(this.cluster.ids.length);
    const side = [victim, ...rest.slice(0, this.dice.whole(0, 1))];
    this.say(`split ${side} from the others, then kill -9 of ${victim}`);
    this.cluster.network.cut(side, this.without(side), this.passage());
    await this.for(this.pace.freeze);
    await this.cluster.kill([victim]);
    this.cluster.network.heal();
    await this.restart([victim]);
  }

  private async freeze(): Promise<void> {
    const [id = 'n1'] = this.some(1);
    this.say(`SIGSTOP of ${id}`);
    this.cluster.freeze(id);
    await this.for(this.pace.freeze);
    this.cluster.thaw(id);
  }

  private async cut(count: number): Promise<void> {
    const side = this.some(count);
    const passage = this.passage();
    this.say(`cut ${side} off (${passage})`);
    this.cluster.network.cut(side, this.without(side), passage);
    await this.heal();
  }

  /** `ways`: the directions in which nothing comes through. */
  private async deafen(ways: (one: string, others: readonly string[]) => readonly (readonly [string, string])[]) {
    const [one = 'n1', ...others] = this.some(this.cluster.ids.length);
    const cut = ways(one, others);
    const passage = this.passage();
    this.say(`cut one way ${cut.map(([from, to]) => `${from}>${to}`)} (${passage})`);
    for (const [from, to] of cut) this.cluster.network.oneWay(from, to, passage);
    await this.heal();
  }

  private async refuse(): Promise<void> {
    const side = this.some(this.dice.whole(1, 2));
    this.say(`refuse connections with ${side}`);
    this.cluster.network.refuse(side, this.without(side));
    await this.heal();
  }

  private async flap(): Promise<void> {
    const side = this.some(this.dice.whole(1, 2));
    this.say(`flap: ${side} come and go`);
    for (let flaps = this.dice.whole(...FLAPS); flaps > 0; flaps--) {
      if (this.dice.chance(0.5)) this.cluster.network.refuse(side, this.without(side));
      else this.cluster.network.cut(side, this.without(side), this.passage());
      await this.for(FLAP_MS);
      this.cluster.network.heal();
      await this.for(FLAP_MS);
    }
  }

  /** While every write has its copies: else what is lost with the folder would prove nothing. */
  private async loseFolder(): Promise<void> {
    const [id = 'n1'] = this.some(1);
    await withoutDebts(this.cluster);
    this.say(`kill -9 of ${id}, and its folder is emptied`);
    await this.cluster.kill([id]);
    this.cluster.wipe(id);
    await this.restart([id]);
    await withoutDebts(this.cluster);
  }

  private async putBack(): Promise<void> {
    const [id = 'n1'] = this.some(1);
    await this.cluster.kill([id]);
    const copy = this.cluster.copyFolder(id, 'older');
    await this.restart([id]);
    await this.for(this.pace.fault);
    await withoutDebts(this.cluster);
    this.say(`kill -9 of ${id}, and its folder is as it was before its last start`);
    await this.cluster.kill([id]);
    this.cluster.restoreFolder(id, copy);
    await this.restart([id]);
    await withoutDebts(this.cluster);
  }

  private async heal(): Promise<void> {
    await this.for(this.pace.fault);
    this.cluster.network.heal();
  }

  private async restart(ids: readonly string[]): Promise<void> {
    const startMs = performance.now();
    await this.cluster.start(ids);
    this.say(`${ids} are back after ${Math.round(performance.now() - startMs)} ms`);
  }

  private passage(): 'held' | 'lost' {
    return this.dice.pick(['held', 'lost']);
  }

  private some(count: number): readonly string[] {
    return this.shuffled(this.cluster.ids).slice(0, count);
  }

  private without(ids: readonly string[]): readonly string[] {
    return this.cluster.ids.filter((id) => !ids.includes(id));
  }

  private shuffled<T>(items: readonly T[]): T[] {
    const drawn = items.map((item) => ({ item, at: this.dice.next() }));
    return drawn.sort((a, b) => a.at - b.at).map(({ item }) => item);
  }

  private async for([least, most]: Range): Promise<void> {
    await wait(this.dice.whole(least, most));
  }
}
