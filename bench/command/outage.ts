import type { LocalCluster } from '../cluster/local-cluster.ts';
import { HALF_AND_HALF } from '../load/mix.ts';
import type { TimelineEvent } from '../report/bench-report.ts';
import { ask, type BenchBase, withCluster } from './bench.ts';
import type { Script } from './runner.ts';
import type { OwnTarget } from './target.ts';

const AWAY = 'n3';
const KEYS = 10_000;
/** Calm, a node away, the node back. */
const CALM_S = 10;
const AWAY_S = 10;
const BACK_S = 20;
/** Of what the closed loop reaches with all nodes. */
const SHARE = 0.5;

/** A node is killed and comes back while requests go to the others, at half of the rate that all of them reach. */
export async function outage(bench: BenchBase): Promise<void> {
  await withCluster(bench, { keys: KEYS }, async (target) => {
    const others = { ...target, addresses: () => stayingUrls(target) };
    const question = ask(bench, others, {
      section: 'outage',
      workload: 'all nodes there',
      mix: HALF_AND_HALF,
      keys: KEYS,
    });
    const [calm] = await bench.runner.ask([question]);
    const ratePerS = Math.max(1, Math.round((calm?.median.operationsPerS ?? 0) * SHARE));
    const open = {
      ...question,
      workload: 'a node is killed and comes back',
      loop: { kind: 'open', ratePerS },
    } as const;
    const story = new Story(target.cluster);
    await bench.runner.tell(open, CALM_S + AWAY_S + BACK_S, story);
    await story.end();
    await target.cluster.kill([AWAY]);
    await bench.runner.ask([{ ...question, workload: 'one node down' }]);
  });
}

const stayingUrls = ({ cluster }: OwnTarget): readonly string[] =>
  cluster.ids.filter((id) => id !== AWAY).map((id) => cluster.url(id));

/** What happens to the node, second by second of the measurement. */
class Story implements Script {
  readonly events: TimelineEvent[] = [];
  private readonly cluster: LocalCluster;
  private work: Promise<void> = Promise.resolve();

  constructor(cluster: LocalCluster) {
    this.cluster = cluster;
  }

  onSecond(second: number): void {
    if (second + 1 === CALM_S) this.next(() => this.kill());
    if (second + 1 === CALM_S + AWAY_S) this.next(() => this.start());
  }

  /** Rejects when something could not be done. */
  end(): Promise<void> {
    return this.work;
  }

  private next(step: () => Promise<void>): void {
    this.work = this.work.then(step);
    // Reported by end().
    this.work.catch(() => {});
  }

  private kill(): Promise<void> {
    this.events.push({ second: CALM_S, text: `${AWAY} is killed` });
    return this.cluster.kill([AWAY]);
  }

  private async start(): Promise<void> {
    this.events.push({ second: CALM_S + AWAY_S, text: `${AWAY} is started` });
    const tookS = await this.cluster.startOne(AWAY);
    this.events.push({ second: Math.round((CALM_S + AWAY_S + tookS) * 10) / 10, text: `${AWAY} serves` });
  }
}
