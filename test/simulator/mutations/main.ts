/**
 * Breaks the product in every way of the list and prints, in Markdown, which checker of the simulator finds it and after how many
 * seeds. Names given as arguments choose among the list. Ends with 1 when one of them is not found as it should be.
 */
import { availableParallelism } from 'node:os';
import { tryMutation, type Verdict } from './mutant.ts';
import type { Mutation } from './mutation.ts';
import { MUTATIONS } from './mutations.ts';

const wanted = process.argv.slice(2);
const chosen = MUTATIONS.filter(
  ({ name, rule }) => wanted.length === 0 || wanted.some((text) => name.includes(text) || rule === text),
);
const verdicts = new Map<Mutation, Verdict>();

async function work(queue: Mutation[]): Promise<void> {
  for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
    const verdict = await tryMutation(mutation);
    verdicts.set(mutation, verdict);
    process.stderr.write(`${mutation.name}: ${described(mutation, verdict)} (${verdict.ms} ms)\n`);
  }
}

function described(mutation: Mutation, verdict: Verdict): string {
  switch (verdict.kind) {
    case 'caught':
      return `${verdict.checker}, ${effort(mutation, verdict.seeds)} seeds: ${verdict.what.slice(0, 160)}`;
    case 'survived':
      return `NOT FOUND in ${verdict.seeds} seeds`;
    case 'wrong':
      return `WRONG: ${verdict.reason}`;
  }
}

function effort({ scenario, among }: Mutation, seeds: number): string {
  if (scenario !== undefined) return `scenario: ${scenario}`;
  return among === undefined ? String(seeds) : `${seeds} (${among})`;
}

function row(mutation: Mutation): string {
  const verdict = verdicts.get(mutation);
  const { name, rule } = mutation;
  if (verdict?.kind !== 'caught') return `| ${name} | ${rule} | **not found** | ${mutation.seedsMax} |`;
  return `| ${name} | ${rule} | ${verdict.checker} | ${effort(mutation, verdict.seeds)} |`;
}

const queue = [...chosen];
await Promise.all(Array.from({ length: Math.min(availableParallelism(), 8) }, () => work(queue)));
const missed = chosen.filter((mutation) => verdicts.get(mutation)?.kind !== 'caught');
const table = ['| mutation | rule | found by | seeds |', '|---|---|---|---|', ...chosen.map(row)];
process.stdout.write(
  `${table.join('\n')}\n\n${chosen.length - missed.length} of ${chosen.length} mutations are found.\n`,
);
if (missed.length > 0 || chosen.length === 0) process.exitCode = 1;
