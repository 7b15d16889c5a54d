import type { Costs } from '../bench-report.ts';
import { WARM_START_NOTE } from '../method.ts';
import { COSTS_TITLE } from '../sections.ts';
import { count, decimalBytes, digits, microseconds, percent, plural, short, size } from '../units.ts';
import type { Context } from './context.ts';
import { chapter, details, figure, panels, table } from './figure.ts';
import { html, type Markup } from './html.ts';
import { lineChart, type Point } from './line-chart.ts';
import { linearScale, settingScale } from './scale.ts';

const LOOK = { slot: 0 };
/** More points than this are a line without marks. */
const MARKED_MAX = 12;

export function costsChapter({ report: { costs } }: Context): Markup | undefined {
  if (costs === undefined) return undefined;
  const { valueBytes, nodes, durability, ...found } = costs;
  if (Object.keys(found).length === 0) return undefined;
  const start = costs.start === undefined ? '' : ` ${WARM_START_NOTE}`;
  return chapter({
    id: 'costs',
    title: COSTS_TITLE,
    lead: `Measured at the processes of a cluster of Quorate that the benchmark started itself: ${plural(nodes, 'node')}, durability ${durability}, values of ${size(valueBytes)}.${start}`,
    body: [
      tiles(costs),
      panels([...memoryFigures(costs.memory), ...timeFigures(costs.memoryOverTime), ...startFigures(costs.start)]),
    ],
  });
}

/** One figure each, with what it counts. */
function tiles({ perPut, idleCpuPercent }: Costs): Markup {
  const put = perPut === undefined ? [] : putTiles(perPut);
  const idle =
    idleCpuPercent === undefined
      ? []
      : [{ figure: percent(idleCpuPercent / 100), text: 'of a core for a node without requests' }];
  return html`<dl class="tiles">${[...put, ...idle].map(({ figure: value, text }) => html`<div><dd>${value}</dd><dt>${text}</dt></div>`)}</dl>`;
}

function putTiles(perPut: NonNullable<Costs['perPut']>): readonly { readonly figure: string; readonly text: string }[] {
  const put = `PUT of ${size(perPut.valueBytes)}, w=2`;
  const cpu = perPut.nodeCpuUs + perPut.clientCpuUs;
  return [
    { figure: decimalBytes(perPut.diskBytesPerReplica), text: `written to disk per replica and ${put}` },
    { figure: decimalBytes(perPut.wireBytes), text: `sent between nodes per ${put}` },
    { figure: digits(perPut.flushes), text: `flushes of the log, all nodes together, per ${put}` },
    {
      figure: microseconds(perPut.nodeCpuUs),
      text: `of processor time in all nodes per ${put}; the client took ${microseconds(perPut.clientCpuUs)}, ${percent(cpu === 0 ? 0 : perPut.clientCpuUs / cpu)} of both`,
    },
  ];
}

function memoryFigures(memory: Costs['memory']): readonly Markup[] {
  if (memory === undefined || memory.length === 0) return [];
  const points = memory.map(({ keys, bytesPerNode }) => ({ x: keys, y: bytesPerNode }));
  return [costFigure('Memory of a node by number of keys', 'keys', points, short, decimalBytes)];
}

function timeFigures(points: Costs['memoryOverTime']): readonly Markup[] {
  if (points === undefined || points.length < 2) return [];
  const top = Math.max(...points.map(({ bytesPerNode }) => bytesPerNode));
  const end = Math.max(...points.map(({ second }) => second));
  const title = 'Memory of a node under steady load';
  const chart = lineChart({
    title,
    x: { label: 'seconds', scale: linearScale(end, short) },
    y: { label: 'RssAnon, MB', scale: linearScale(top / 1e6, short) },
    lines: [
      {
        label: decimalBytes(points.at(-1)?.bytesPerNode ?? 0),
        note: 'at the end',
        look: LOOK,
        hasMarkers: false,
        points: points.map(({ second, bytesPerNode }) => ({ x: second, y: bytesPerNode / 1e6, title: '' })),
      },
    ],
  });
  const tenth = Math.max(1, Math.ceil(points.length / 10));
  const rows = points.filter((_, i) => i % tenth === 0 || i === points.length - 1);
  return [
    html`<div>${figure(title, chart)}${details(
      'Figures',
      table(
        'A part of the points',
        [
          { title: 'second', cell: ({ second }: (typeof rows)[number]) => count(second) },
          { title: 'memory of a node', cell: ({ bytesPerNode }: (typeof rows)[number]) => decimalBytes(bytesPerNode) },
        ],
        rows,
      ),
    )}</div>`,
  ];
}

function startFigures(start: Costs['start']): readonly Markup[] {
  if (start === undefined || start.length === 0) return [];
  const points = start.map(({ keys, seconds }) => ({ x: keys, y: seconds }));
  return [costFigure('From the start of a process until it serves', 'keys', points, short, (s) => `${digits(s)} s`)];
}

/** A line by number of keys, and the same in figures. */
function costFigure(
  title: string,
  axis: string,
  values: readonly Pick<Point, 'x' | 'y'>[],
  labelX: (value: number) => string,
  labelY: (value: number) => string,
): Markup {
  const sorted = [...values].sort((a, b) => a.x - b.x);
  const last = sorted.at(-1);
  const chart = lineChart({
    title,
    x: {
      label: axis,
      scale: settingScale(
        sorted.map(({ x }) => Math.max(1, x)),
        labelX,
      ),
    },
    y: { label: '', scale: linearScale(Math.max(...sorted.map(({ y }) => y)), labelY) },
    lines: [
      {
        label: last === undefined ? '' : labelY(last.y),
        ...(last === undefined ? {} : { note: `${labelX(last.x)} keys` }),
        look: LOOK,
        hasMarkers: sorted.length <= MARKED_MAX,
        points: sorted.map(({ x, y }) => ({ x: Math.max(1, x), y, title: `${count(x)} keys: ${labelY(y)}` })),
      },
    ],
  });
  const columns = [
    { title: axis, cell: ({ x }: Pick<Point, 'x' | 'y'>) => count(x) },
    { title: 'found', cell: ({ y }: Pick<Point, 'x' | 'y'>) => labelY(y) },
  ];
  return html`<div>${figure(title, chart)}${details('Figures', table('', columns, sorted))}</div>`;
}
