import type { BenchReport, TargetInfo } from '../bench-report.ts';
import { failedOf, isDurable } from '../comparison.ts';
import { machineText } from '../machine-text.ts';
import { notesOn, runText } from '../method.ts';
import { SECTION_TITLES } from '../sections.ts';
import { seriesColumns } from '../series-columns.ts';
import { count, duration, plural } from '../units.ts';
import { durabilityChapter, ycsbChapter } from './bars.ts';
import { type Context, contextOf } from './context.ts';
import { costsChapter } from './costs.ts';
import { chapter, details, table } from './figure.ts';
import { goalsChapter } from './goal-table.ts';
import { html, type Markup } from './html.ts';
import { openLoopChapter, percentileChapter, tradeChapter } from './latency.ts';
import { matrixChapter } from './matrix.ts';
import { outageChapter } from './outage.ts';
import { STYLE } from './page-style.ts';
import { hatches } from './palette.ts';
import { mainChapter } from './summary.ts';
import { sweepChapters } from './sweeps.ts';
import { answer, cards } from './verdicts.ts';

/** Neither scripts nor anything from elsewhere: what the page needs is in it, and nothing that is in it can ask for more. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** One self-contained page: no scripts, no requests, light and dark, readable on paper. */
export function htmlReport(report: BenchReport): string {
  const context = contextOf(report);
  const chapters = chaptersOf(context);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Quorate benchmark, ${day(report)}</title>
<style>${STYLE}</style>
</head>
<body>
${hatches()}
<main>
${header(context)}
${cards(context)}
${navigation(chapters)}
${chapters}
</main>
</body>
</html>
`;
  return page.text;
}

function chaptersOf(context: Context): readonly Markup[] {
  const all = [
    mainChapter(context),
    goalsChapter(context),
    tradeChapter(context),
    percentileChapter(context),
    openLoopChapter(context),
    matrixChapter(context),
    ycsbChapter(context),
    durabilityChapter(context),
    ...sweepChapters(context),
    outageChapter(context),
    costsChapter(context),
    methodChapter(context),
  ];
  return all.filter((one) => one !== undefined);
}

function header(context: Context): Markup {
  const { machine, date, tookS, command, version, failure, series, targets } = context.report;
  const failed = series.reduce((sum, one) => sum + failedOf(one), 0);
  const errors = failed === 0 ? 'no request failed' : `${plural(failed, 'request')} failed`;
  const early =
    failure === undefined ? html`` : html`<p class="machine"><strong>It ended early: ${failure}.</strong></p>`;
  return html`<header><p class="kicker">Quorate</p><h1>Benchmark of ${date.slice(0, 10)}</h1>${answer(context)}<p class="machine">${machineText(machine)}.</p><p class="machine">${plural(series.length, 'measurement')} in ${duration(tookS)}, ${errors}. ${placeText(targets)}</p>${early}<p class="command"><code>${command}</code>, version ${version}</p></header>`;
}

/** Only of servers that the benchmark started is it known where they ran. */
function placeText(targets: readonly TargetInfo[]): string {
  const stores = [...new Set(targets.filter(({ isOwn }) => isOwn).map(({ store }) => store))];
  return stores.length === 0
    ? ''
    : `The load generator shares this machine with the servers that it started (${stores.join(', ')}).`;
}

/** From the chapters' own markup, so that it cannot lead nowhere. */
function navigation(chapters: readonly Markup[]): Markup {
  const links = chapters.flatMap(({ text }) => {
    const found = /^<section id="([^"]+)"><div class="keep"><h2>([^<]*)<\/h2>/.exec(text);
    return found === null ? [] : [{ id: found[1] ?? '', title: { kind: 'markup' as const, text: found[2] ?? '' } }];
  });
  return html`<nav aria-label="Contents"><ul>${links.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`;
}

function methodChapter({ report }: Context): Markup {
  const targets = [
    { title: 'target', isText: true, cell: ({ name }: TargetInfo) => name },
    { title: 'store', isText: true, cell: ({ store, version }: TargetInfo) => `${store} ${version}` },
    { title: 'nodes', cell: ({ nodes }: TargetInfo) => count(nodes) },
    { title: 'a write is acknowledged after', isText: true, cell: ({ durability }: TargetInfo) => durability },
    { title: 'survives a power cut', isText: true, cell: ({ durability }: TargetInfo) => survives(durability) },
    { title: 'started by', isText: true, cell: ({ isOwn }: TargetInfo) => (isOwn ? 'the benchmark' : 'someone else') },
  ];
  return chapter({
    id: 'method',
    title: 'How it was measured',
    lead: `${runText(report)} Targets take turns, so that a slow moment of the machine hits them all. Figures are medians over the repetitions, percentile curves are of all of them together, and errors are added up. Only successful requests count as operations. Processor time of servers is that of all their processes; a dash stands where they could not be watched. ${notesOn(report).join(' ')}`,
    body: [
      table('What was driven', targets, report.targets),
      details(`All ${plural(report.series.length, 'measurement')}`, table('', allColumns(report), report.series)),
    ],
  });
}

function allColumns({
  series,
}: BenchReport): readonly { title: string; isText?: boolean; cell(row: BenchReport['series'][number]): string }[] {
  return [{ title: 'section', isText: true, cell: ({ section }) => SECTION_TITLES[section] }, ...seriesColumns(series)];
}

function survives(durability: string): string {
  const isSafe = isDurable(durability);
  if (isSafe === undefined) return 'it does not say';
  return isSafe ? 'yes' : 'no';
}

function day({ date }: BenchReport): string {
  return date.slice(0, 10);
}
