import { ProcessMeter } from '../cluster/process-meter.ts';
import { canDrive } from '../load/autocannon-loop.ts';
import { type Measured, type MeasureOptions, measure } from '../load/measure.ts';
import { type Repetition, seriesOf } from '../load/repeat.ts';
import type { Section, Series, TargetInfo, TimelineEvent, TimelinePoint } from '../report/bench-report.ts';
import { kindOf } from './kind-of.ts';
import { orderOf } from './order-of.ts';
import type { Target } from './target.ts';

/** One workload against one target, in one setting. */
export interface Question extends Pick<MeasureOptions, Setting> {
  readonly section: Section;
  readonly target: Target;
  /** As the report calls it. */
  readonly workload: string;
}

type Setting = 'mix' | 'read' | 'write' | 'loop' | 'connections' | 'keys' | 'valueBytes' | 'distribution';

/** What happens to the store while it is asked. */
export interface Script {
  readonly events: readonly TimelineEvent[];
  onSecond(second: number): void;
}

/** Tells people what is being done, and how the last second went. */
export type Say = (text: string, now?: Pick<TimelinePoint, 'operations' | 'p99Ms' | 'errors'>) => void;

export interface RunnerOptions {
  readonly seconds: number;
  readonly warmupS: number;
  readonly repetitions: number;
  readonly generator: 'sessions' | 'autocannon';
  readonly progress: Say;
}

/** Asks questions, one at a time, and keeps what came of each. */
export class Runner {
  readonly options: RunnerOptions;
  readonly series: Series[] = [];
  /** Whoever was asked, in this order. */
  readonly targets = new Map<string, TargetInfo>();

  constructor(options: RunnerOptions) {
    this.options = options;
  }

  /**
   * Each question is asked once in every repetition, one after the other, so that a slow moment of the machine hits them all, and in
   * another order in each, see {@link orderOf}. Returns a series for each, in their own order. Rejects when one cannot be asked; what was
   * measured by then is kept.
   */
  async ask(questions: readonly Question[], repetitions = this.options.repetitions): Promise<readonly Series[]> {
    const found = questions.map((): Repetition[] => []);
    try {
      for (let round = 0; round < repetitions; round++) await this.round(questions, found, round, repetitions);
    } finally {
      this.series.push(...seriesOfAll(questions, found));
    }
    return this.series.slice(-questions.length);
  }

  /** Asks once, for so long, while something happens. */
  async tell(question: Question, seconds: number, script: Script): Promise<Series> {
    const repetition = await this.once(question, 'once', seconds, ({ second }) => script.onSecond(second));
    const series = { ...settingOf(question), ...seriesOf([repetition]), events: script.events };
    this.series.push(series);
    return series;
  }

  private async round(
    questions: readonly Question[],
    found: readonly Repetition[][],
    round: number,
    rounds: number,
  ): Promise<void> {
    for (const [place, i] of orderOf(questions.length, round).entries()) {
      const question = questions[i];
      if (question === undefined) throw new Error(`there is no question ${i}`);
      const which = `round ${round + 1} of ${rounds}, ${place + 1} of ${questions.length}`;
      found[i]?.push(await this.once(question, which, this.options.seconds));
    }
  }

  private async once(
    question: Question,
    which: string,
    seconds: number,
    onSecond?: (point: TimelinePoint) => void,
  ): Promise<Repetition> {
    const { section, target, workload, ...load } = question;
    const { progress, warmupS, generator } = this.options;
    this.targets.set(target.info.name, target.info);
    const title = `${section} (${which}): ${target.info.name}, ${workload}`;
    let meter: ProcessMeter | undefined;
    let cpuUs: number | undefined;
    progress(`${title}: warm-up`);
    const measured = await measure({
      ...load,
      store: target.store,
      addresses: target.addresses(),
      seconds,
      warmupS,
      generator: isPlain(question) ? generator : 'sessions',
      onWindow: (moment) => {
        if (moment === 'start') meter = new ProcessMeter(target.pids());
        else cpuUs = meter?.used()?.cpuUs;
      },
      onSecond: (point) => {
        progress(title, point);
        onSecond?.(point);
      },
    });
    return { ...measured, serverCpuUs: perOperation(cpuUs, measured) };
  }
}

/** As autocannon can send it. */
function isPlain({ target, mix, loop }: Question): boolean {
  return target.store.dialect !== undefined && loop.kind === 'closed' && canDrive(mix);
}

function perOperation(cpuUs: number | undefined, { sample }: Measured): number | undefined {
  const operations = sample.operationsPerS * sample.seconds;
  return cpuUs === undefined || operations === 0 ? undefined : Math.round((cpuUs / operations) * 10) / 10;
}

/** Of those that were asked at all. */
function seriesOfAll(questions: readonly Question[], found: readonly (readonly Repetition[])[]): readonly Series[] {
  return questions.flatMap((question, i) => {
    const repetitions = found[i] ?? [];
    return repetitions.length === 0 ? [] : [{ ...settingOf(question), ...seriesOf(repetitions), events: [] }];
  });
}

function settingOf(question: Question): Omit<Series, keyof ReturnType<typeof seriesOf> | 'events'> {
  const { section, target, workload, loop, connections, keys, valueBytes, distribution, mix, read, write } = question;
  const reads = mix.read + mix.readModifyWrite > 0;
  const writes = mix.read < 1;
  return {
    section,
    target: target.info.name,
    workload,
    kind: kindOf(target.store, mix, read),
    loop,
    connections,
    nodes: target.info.nodes,
    keys,
    valueBytes,
    distribution,
    ...(reads && read.replicas !== undefined ? { r: read.replicas } : {}),
    ...(writes && write.replicas !== undefined ? { w: write.replicas } : {}),
  };
}
