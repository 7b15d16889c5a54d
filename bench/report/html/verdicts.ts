/** What a reader who has ten seconds should know: who is faster at equal durability, by which factor, and how certain that is. */
import type { BenchReport, Series } from '../bench-report.ts';
import {
  APART_REPETITIONS_MIN,
  failedOf,
  groupBy,
  inSection,
  isApart,
  isDurable,
  isLike,
  isPeer,
  KINDS,
  type Kind,
  type NonEmpty,
  type Ratio,
  ratioOf,
  targetOf,
} from '../comparison.ts';
import { GATEWAY_NOTE } from '../method.ts';
import { capital, milliseconds, NOT_MEASURED, perSecond, plural, times } from '../units.ts';
import type { Context } from './context.ts';
import { durabilityText } from './durability-words.ts';
import { html, type Markup } from './html.ts';

const NAMES: Readonly<Record<Kind, string>> = {
  write: 'writes',
  'agreed-read': 'reads that see every acknowledged write',
  'local-read': 'reads of one copy',
};

/** Ahead or behind: no repetition of the one reached one of the other. */
type Standing = 'ahead' | 'behind' | 'even';

/** One kind of request to Quorate, held against that of a peer in the same setting. */
interface Match {
  readonly kind: Kind;
  readonly own: Series;
  readonly peer: Series;
  /** Undefined where the peer did nothing. */
  readonly ratio: Ratio | undefined;
  readonly standing: Standing;
  /** Of both it is known whether acknowledged writes outlive a power cut, and it is the same. */
  readonly isSameDurability: boolean;
}

interface Bout {
  readonly kind: Kind;
  readonly own: Series;
  readonly matches: readonly Match[];
}

/** The answer in words, a sentence for each peer. */
export function answer({ report }: Context): Markup | undefined {
  const fair = fairMatches(report);
  const [first] = fair;
  if (first === undefined) return undefined;
  const peers = [...groupBy(fair, ({ peer }) => peer.target).values()].map(sentence);
  const durability = durabilityText(targetOf(report, first.own)?.durability ?? '');
  const hasEtcd = fair.some(({ peer }) => targetOf(report, peer)?.store === 'etcd');
  return html`<p class="answer">At equal durability (${durability}): ${peers}</p><p class="machine certainty">${certaintyText(fair)}${hasEtcd ? ` ${GATEWAY_NOTE}` : ''}</p>`;
}

/** Of equal durability; of a peer that keeps the same promise in several ways the strongest, which is asked first. */
function fairMatches(report: BenchReport): readonly Match[] {
  return boutsOf(report).flatMap(({ matches }) => {
    const byPeer = groupBy(
      matches.filter(({ isSameDurability }) => isSameDurability),
      ({ peer }) => peer.target,
    );
    return [...byPeer.values()].map(([strongest]) => strongest);
  });
}

/** A card for each kind of request: Quorate's figure, and how many times that of each peer it is, those of equal durability first. */
export function cards({ report }: Context): Markup | undefined {
  const bouts = boutsOf(report);
  return bouts.length === 0 ? undefined : html`<div class="cards">${bouts.map((bout) => card(report, bout))}</div>`;
}

function boutsOf(report: BenchReport): readonly Bout[] {
  const main = inSection(report, 'main');
  return KINDS.flatMap((kind) => {
    const series = main.filter((one) => one.kind === kind);
    const own = contender(report, series);
    if (own === undefined) return [];
    const peers = series.filter((one) => isPeer(targetOf(report, one)) && isLike(own, one));
    const matches = peers.map((peer) => matchOf(report, kind, own, peer));
    return [{ kind, own, matches: matches.sort((a, b) => Number(b.isSameDurability) - Number(a.isSameDurability)) }];
  });
}

/** The first target of Quorate; of its writes the one that asks for the fewest copies beyond one, since a peer's write has a majority. */
function contender({ targets }: BenchReport, series: readonly Series[]): Series | undefined {
  const own = targets.find(({ name, store }) => store === 'quorate' && series.some(({ target }) => target === name));
  const mine = series.filter(({ target }) => target === own?.name);
  const several = mine.filter(({ w }) => (w ?? 0) > 1).sort((a, b) => (a.w ?? 0) - (b.w ?? 0));
  return several[0] ?? mine[0];
}

function matchOf(report: BenchReport, kind: Kind, own: Series, peer: Series): Match {
  const [ours, theirs] = [own, peer].map((one) => isDurable(targetOf(report, one)?.durability ?? ''));
  const ratio = ratioOf(own, peer);
  return {
    ...{ kind, own, peer, ratio, standing: standingOf(ratio) },
    isSameDurability: ours !== undefined && ours === theirs,
  };
}

function standingOf(ratio: Ratio | undefined): Standing {
  if (ratio === undefined || ratio.least > 1) return 'ahead';
  return ratio.most < 1 ? 'behind' : 'even';
}

/** "Quorate is faster than etcd: 2.08× its writes, 3.03× its reads of one copy." */
function sentence(matches: NonEmpty<Match>): Markup {
  const standings = new Set(matches.map(({ standing }) => standing));
  const [only] = standings;
  const word = standings.size > 1 || only === undefined ? 'not always faster than' : WORDS[only];
  const figures = matches.map((one) => figureText(one)).join(', ');
  return html`<span><b>Quorate is ${word} ${matches[0].peer.target}</b>: ${figures}.</span> `;
}

const WORDS: Readonly<Record<Standing, string>> = {
  ahead: 'faster than',
  behind: 'slower than',
  even: 'as fast as',
};

function figureText({ kind, ratio, standing }: Match): string {
  if (ratio === undefined) return `no ${NAMES[kind]} of it succeeded`;
  const even = standing === 'even' ? ' (no clear difference)' : '';
  return `${times(ratio.median)} its ${NAMES[kind]}${even}`;
}

function certaintyText(matches: readonly Match[]): string {
  const counts = matches.flatMap(({ own, peer }) => [own.repetitions.length, peer.repetitions.length]);
  const few = Math.min(...counts);
  const how = `The factors are of medians of ${plural(few, 'repetition')}${few === Math.max(...counts) ? '' : ' or more'}; the cards say how far they spread, from Quorate’s slowest against the peer’s fastest to the other way round.`;
  if (few < APART_REPETITIONS_MIN)
    return `${how} With fewer than ${APART_REPETITIONS_MIN} on each side chance cannot be ruled out.`;
  return matches.every(({ own, peer }) => isApart(own, peer) === true)
    ? `${how} No repetition of the slower one reached any of the faster one.`
    : `${how} Where repetitions overlap, there is no clear difference.`;
}

function card(report: BenchReport, { kind, own, matches }: Bout): Markup {
  const info = targetOf(report, own);
  const promise = kind === 'write' && info !== undefined ? `, ${durabilityText(info.durability)}` : '';
  const rows = matches.map((match) => row(report, match));
  return html`<div class="card"><h3>${capital(NAMES[kind])}</h3><p class="own"><b>${perSecond(own.median.operationsPerS)}</b> p99 ${milliseconds(own.median.p99Ms)}</p><p class="note">${own.target}, ${own.workload}${promise}</p>${matches.length === 0 ? undefined : html`<ul>${rows}</ul>`}</div>`;
}

function row(report: BenchReport, match: Match): Markup {
  const { peer, ratio, standing, isSameDurability } = match;
  const figure = ratio === undefined ? NOT_MEASURED : times(ratio.median);
  const durability = targetOf(report, peer)?.durability ?? '';
  const remark = isSameDurability ? '' : `; not the same durability: ${durability === '' ? 'unknown' : durability}`;
  const errors = failedOf(peer) === 0 ? '' : `, ${plural(failedOf(peer), 'error')}`;
  return html`<li class="${standing}"><b>${figure}</b> <span><strong>${peer.target}</strong> ${peer.workload}<br><span class="note">${spreadText(match)}<br>${perSecond(peer.median.operationsPerS)}, p99 ${milliseconds(peer.median.p99Ms)}${remark}${errors}</span></span></li>`;
}

/** "1.85× to 2.35×, all repetitions apart" */
function spreadText({ own, peer, ratio, standing }: Match): string {
  if (ratio === undefined) return 'nothing of it succeeded';
  const range = Number.isFinite(ratio.most)
    ? `${times(ratio.least)} to ${times(ratio.most)}`
    : `${times(ratio.least)} and more`;
  if (standing === 'even') return `${range}: repetitions overlap, no clear difference`;
  if (isApart(own, peer) === true) return `${range}, all repetitions apart`;
  const few = Math.min(own.repetitions.length, peer.repetitions.length);
  return `${range}, of ${plural(few, 'repetition')}`;
}
