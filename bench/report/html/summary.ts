/** What a reader who has ten seconds should know: who is faster, by how much, and with what promise. */
import type { Series, TargetInfo } from '../bench-report.ts';
import { failedOf, inSection, isDurable, isLike, isPeer, type Kind, kindOf, targetOf } from '../comparison.ts';
import { sharedSettings } from '../series-columns.ts';
import { milliseconds, NOT_MEASURED, perSecond, plural, times } from '../units.ts';
import { type BarRow, barChart } from './bar-chart.ts';
import { type Context, type Group, groupsOf, lookOf } from './context.ts';
import { chapter, figure } from './figure.ts';
import { html, type Markup } from './html.ts';
import { seriesTable } from './series-table.ts';

const CARD_TITLES: Readonly<Record<Kind, string>> = {
  write: 'Writes',
  'agreed-read': 'Reads that see every acknowledged write',
  'local-read': 'Reads of one copy',
};

const DURABILITIES = [
  { isSafe: true, title: 'on disk before it is acknowledged' },
  { isSafe: false, title: 'acknowledged before it is on disk' },
  { isSafe: undefined, title: 'of a store that does not say whether it is on disk' },
] as const;

/** A card for each kind of request: Quorate's figure, and how many times that of each peer it is. */
export function verdicts({ report }: Context): Markup | undefined {
  const main = inSection(report, 'main');
  const cards = groupsOf(main).flatMap(({ kind, series }) => {
    const own = kind === undefined ? undefined : contender(report.targets, series);
    return kind === undefined || own === undefined ? [] : [card(kind, own, series, report.targets)];
  });
  return cards.length === 0 ? undefined : html`<div class="cards">${cards}</div>`;
}

/** The first target of Quorate; of its writes the one that asks for the fewest copies beyond one, since a peer's write has a majority. */
function contender(targets: readonly TargetInfo[], series: readonly Series[]): Series | undefined {
  const own = targets.find(({ name, store }) => store === 'quorate' && series.some(({ target }) => target === name));
  const mine = series.filter(({ target }) => target === own?.name);
  const several = mine.filter(({ w }) => (w ?? 0) > 1).sort((a, b) => (a.w ?? 0) - (b.w ?? 0));
  return several[0] ?? mine[0];
}

function card(kind: Kind, own: Series, series: readonly Series[], targets: readonly TargetInfo[]): Markup {
  const info = targetOf({ targets }, own);
  const peers = series.filter((one) => isPeer(targetOf({ targets }, one)) && isLike(own, one));
  const rows = peers.map((peer) => comparison(kind, own, peer, info, targetOf({ targets }, peer)));
  const promise = kind === 'write' && info !== undefined ? `, ${durabilityText(info.durability)}` : '';
  return html`<div class="card"><h3>${CARD_TITLES[kind]}</h3><p class="own"><b>${perSecond(own.median.operationsPerS)}</b> p99 ${milliseconds(own.median.p99Ms)}</p><p class="note">${own.target}, ${own.workload}${promise}</p>${peers.length === 0 ? undefined : html`<ul>${rows}</ul>`}</div>`;
}

function comparison(
  kind: Kind,
  own: Series,
  peer: Series,
  info: TargetInfo | undefined,
  other: TargetInfo | undefined,
): Markup {
  const ratio = own.median.operationsPerS / peer.median.operationsPerS;
  const figure = Number.isFinite(ratio) ? times(ratio) : NOT_MEASURED;
  const isFaster = ratio >= 1;
  const sign = isFaster ? 'ahead' : 'behind';
  const remark = kind === 'write' ? durabilityRemark(info, other) : '';
  const errors = failedOf(peer) === 0 ? '' : `, ${plural(failedOf(peer), 'error')}`;
  return html`<li class="${sign}"><b>${figure}</b> <span><strong>${peer.target}</strong> ${peer.workload}<br><span class="note">${perSecond(peer.median.operationsPerS)}, p99 ${milliseconds(peer.median.p99Ms)}${remark}${errors}</span></span></li>`;
}

/** Said where throughputs are of different promises, since the ratio alone would mislead. */
function durabilityRemark(own: TargetInfo | undefined, peer: TargetInfo | undefined): string {
  if (own === undefined || peer === undefined) return '';
  const [ours, theirs] = [isDurable(own.durability), isDurable(peer.durability)];
  return ours === theirs ? '' : `; not the same durability: ${peer.durability}`;
}

function durabilityText(durability: string): string {
  const isSafe = isDurable(durability);
  if (isSafe === undefined) return `durability: ${durability}`;
  return isSafe ? 'on disk before it is acknowledged' : `acknowledged before it is on disk (${durability})`;
}

/** Every target of the main comparison, fastest first. */
export function mainChapter(context: Context): Markup | undefined {
  const main = inSection(context.report, 'main');
  if (main.length === 0) return undefined;
  const chart = barChart({
    title: 'Throughput and p99 latency of every store, by kind of request. The figures are in the table below.',
    columns: [
      { label: 'Operations a second', note: 'longer is better; whiskers: slowest and fastest repetition' },
      { label: 'p99 latency', note: 'shorter is better' },
    ],
    groups: groupsOf(main)
      .flatMap((group) => byDurability(context, group))
      .map(({ title, series }) => ({
        title,
        rows: [...series]
          .sort((a, b) => b.median.operationsPerS - a.median.operationsPerS)
          .map((one) => mainRow(context, one)),
      })),
  });
  return chapter({
    id: 'main',
    title: 'Side by side',
    lead: `${sentence(sharedSettings(main))}. Hatched writes are acknowledged before they are on disk: a power cut may lose them. Fastest first; the same store has the same colour throughout.`,
    body: [figure('', chart), seriesTable(main)],
  });
}

/** Writes that outlive a power cut and writes that do not are two things, however fast. */
function byDurability({ report }: Context, group: Group): readonly Group[] {
  if (group.kind !== 'write') return [group];
  return DURABILITIES.map(({ title, isSafe }) => ({
    ...group,
    title: `${group.title}, ${title}`,
    series: group.series.filter((one) => isDurable(targetOf(report, one)?.durability ?? '') === isSafe),
  })).filter(({ series }) => series.length > 0);
}

export function mainRow(context: Context, series: Series): BarRow {
  const { median, spread, workload, target } = series;
  const info = targetOf(context.report, series);
  const isWrite = kindOf(series) === 'write';
  const errors = failedOf(series) === 0 ? '' : `, ${plural(failedOf(series), 'error')}`;
  const title = `${target}, ${workload}: ${perSecond(median.operationsPerS)} (${perSecond(spread.minPerS)} to ${perSecond(spread.maxPerS)}), p99 ${milliseconds(median.p99Ms)}${errors}`;
  return {
    label: target,
    note: `${kindOf(series) === undefined ? '' : workload}${isWrite && info !== undefined ? `: ${info.durability}` : ''}${errors}`,
    look: lookOf(context, series),
    isHatched: isWrite && info !== undefined && isDurable(info.durability) === false,
    bars: [
      {
        value: median.operationsPerS,
        text: perSecond(median.operationsPerS),
        title,
        range: [spread.minPerS, spread.maxPerS],
      },
      { value: median.p99Ms, text: milliseconds(median.p99Ms), title },
    ],
  };
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
