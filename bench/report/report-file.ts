import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { printable } from '../table.ts';
import type { BenchReport, Section } from './bench-report.ts';
import { isSection, SECTION_TITLES } from './sections.ts';

/** A file that is no report of the benchmark; the message names the file, and the place in it. */
export class ReportFileError extends Error {
  override readonly name = 'ReportFileError';

  /** It goes to a terminal, and quotes what is in the file. */
  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}

const text = z.string();
const amount = z.number().nonnegative();
const whole = z.int().nonnegative();
const percentile = z.number().min(0).max(100);

/** What JSON leaves out because it is undefined. */
const absent = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const machine = z.object({
  cpu: text,
  cores: z.int().positive(),
  memoryBytes: amount,
  kernel: text,
  node: text,
  flush: absent(z.object({ p50Ms: amount, p99Ms: amount })),
  isDiskInMemory: z.boolean(),
  load: amount,
});

const target = z.object({
  name: text.min(1),
  store: text,
  version: text,
  nodes: z.int().positive(),
  isOwn: z.boolean(),
  durability: text,
});

const loop = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('closed') }),
  z.object({ kind: z.literal('open'), ratePerS: z.number().positive() }),
]);

const sample = z.object({
  seconds: amount,
  operationsPerS: amount,
  p50Ms: amount,
  p90Ms: amount,
  p99Ms: amount,
  p999Ms: amount,
  maxMs: amount,
  errors: z.record(text, whole),
  serverCpuUs: absent(amount),
  clientCpuUs: amount,
});

const timelinePoint = z.object({ second: amount, operations: amount, errors: whole, p50Ms: amount, p99Ms: amount });

const section = z.custom<Section>(isSection, `expected one of ${Object.keys(SECTION_TITLES).join(', ')}`);

const series = z.object({
  section,
  target: text,
  workload: text,
  kind: z.enum(['write', 'agreed-read', 'local-read', 'mix']),
  loop,
  connections: z.int().positive(),
  nodes: z.int().positive(),
  keys: z.int().positive(),
  valueBytes: whole,
  distribution: z.enum(['uniform', 'zipfian', 'latest']),
  r: z.int().positive().exactOptional(),
  w: z.int().positive().exactOptional(),
  repetitions: z.array(sample).min(1),
  median: sample,
  spread: z.object({ minPerS: amount, maxPerS: amount }),
  percentiles: z.array(z.tuple([percentile, amount])),
  timeline: z.array(timelinePoint),
  events: z.array(z.object({ second: amount, text })),
});

const costs = z.object({
  valueBytes: whole,
  nodes: z.int().positive(),
  durability: text,
  perPut: z
    .object({
      valueBytes: whole,
      wireBytes: amount,
      diskBytesPerReplica: amount,
      flushes: amount,
      nodeCpuUs: amount,
      clientCpuUs: amount,
    })
    .exactOptional(),
  memory: z.array(z.object({ keys: whole, bytesPerNode: amount })).exactOptional(),
  memoryOverTime: z.array(z.object({ second: amount, bytesPerNode: amount })).exactOptional(),
  start: z.array(z.object({ keys: whole, seconds: amount })).exactOptional(),
  idleCpuPercent: amount.exactOptional(),
});

const goal = z.object({ goal: text, wanted: text, found: text, isMet: absent(z.boolean()) });

const benchReport: z.ZodType<BenchReport> = z
  .object({
    format: z.literal(1),
    date: z.iso.datetime({ offset: true }),
    tookS: amount,
    machine,
    command: text,
    version: text,
    warmupS: amount,
    generator: z.enum(['sessions', 'autocannon']),
    failure: text.exactOptional(),
    targets: z.array(target),
    series: z.array(series),
    costs: absent(costs),
    goals: z.array(goal),
  })
  .superRefine(({ targets, series: all }, context) => {
    const names = new Set(targets.map(({ name }) => name));
    all.forEach((one, i) => {
      if (names.has(one.target)) return;
      context.addIssue({
        code: 'custom',
        path: ['series', i, 'target'],
        message: `"${one.target}" is none of targets`,
      });
    });
  });

/** @throws {ReportFileError} when the text is not JSON, or not a report; `source` is what the message calls it. */
export function parseReport(json: string, source: string): BenchReport {
  const result = benchReport.safeParse(parseJson(json, source));
  if (result.success) return result.data;
  const [first, ...others] = result.error.issues;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  throw new ReportFileError(`${source}: ${pathText(first?.path ?? [])}: ${first?.message ?? 'not a report'}${more}`);
}

/** @throws {ReportFileError} */
export async function readReport(file: string): Promise<BenchReport> {
  return parseReport(await readText(file), file);
}

/** The same report always gives the same bytes, so that a committed one can be compared. */
export async function writeReport(file: string, report: BenchReport): Promise<void> {
  await writeFile(file, jsonReport(report));
}

/** Indented, but for lists of nothing but numbers, which stay on their line. */
export function jsonReport(report: BenchReport): string {
  const indented = JSON.stringify(report, null, 1);
  return `${indented.replace(/\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g, (list) => list.replace(/\s+/g, ''))}\n`;
}

function pathText(path: readonly PropertyKey[]): string {
  const joined = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return joined === '' ? 'the whole' : joined.replace(/^\./, '');
}

function parseJson(json: string, source: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new ReportFileError(`${source}: not JSON: ${messageOf(cause)}`, { cause });
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ReportFileError(`${file}: cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
