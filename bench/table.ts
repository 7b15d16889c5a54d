import { availableParallelism, cpus, release } from 'node:os';

export type Cell = string | number;

/** A table for people: the first row names the columns, of which `left` are set to the left. */
export function formatTable(rows: readonly (readonly Cell[])[], left = 1): string {
  const table = rows.map((cells) =>
    cells.map((cell) => printable(typeof cell === 'number' ? cell.toLocaleString('en') : cell)),
  );
  const widths = table[0]?.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0))) ?? [];
  const lines = table.map((cells) =>
    cells.map((cell, i) => (i < left ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  );
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/**
 * Without control characters, which a terminal would obey: names, versions and words of durability come from other stores, and whole
 * reports from files. Each one is shown as �.
 */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

export function machineName(): string {
  return `${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, Linux ${release()}, Node ${process.version}`;
}

/** One line that is written over; only where somebody watches. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${printable(text)}`);
}
