import type { Section } from './bench-report.ts';

/** What each section is called, in the terminal and on the page; its keys are all sections that there are. */
export const SECTION_TITLES: Readonly<Record<Section, string>> = {
  main: 'Side by side',
  ycsb: 'Mixes after YCSB',
  matrix: 'Every R and W',
  connections: 'Connections',
  nodes: 'Nodes',
  values: 'Value size',
  keys: 'Number of keys',
  durability: 'What durability costs',
  'open-loop': 'Open loop: a fixed rate',
  outage: 'While a node is away, and comes back',
};

/** Of {@link Costs}, which are no series. */
export const COSTS_TITLE = 'What it takes';

export function isSection(name: unknown): name is Section {
  return typeof name === 'string' && Object.hasOwn(SECTION_TITLES, name);
}
