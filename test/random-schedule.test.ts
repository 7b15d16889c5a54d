import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../src/errors.ts';
import { InProcessCluster } from './in-process-cluster.ts';
import { get, put, valuesOf } from './requests.ts';

/**
 * Random work on a small cluster under random faults, against one promise: what was acknowledged by w replicas is read from r of
 * them as long as r + w > n. The full simulator draws more of everything; this one fails within seconds when the basics break.
 */
type Step =
  | { readonly kind: 'write'; readonly at: number; readonly key: number }
  | { readonly kind: 'read'; readonly at: number; readonly key: number }
  | { readonly kind: 'fault'; readonly fault: 'crash' | 'cut' | 'pause'; readonly node: number; readonly kept: number }
  | { readonly kind: 'heal' }
  | { readonly kind: 'power cut' };

const KEYS = 3;
const at = fc.nat(2);
const key = fc.nat(KEYS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), at, key }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), at, key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      fault: fc.constantFrom('crash' as const, 'cut' as const, 'pause' as const),
      ...{ node: at, kept: fc.nat(200) },
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'heal' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'power cut' as const }) },
);
/** Mostly so short that what was asked for is still under way when the next step is taken. */
const pauseMs = fc.oneof(fc.nat(3), fc.nat(3), fc.nat(60), fc.constant(1500));
const schedule = fc.array(fc.tuple(step, pauseMs), { minLength: 20, maxLength: 60, size: 'max' });

class Run {
  readonly cluster = new InProcessCluster();
  /** Per key every value written, in the order of the writes; each write is sent after the one before was answered. */
  private readonly written = Array.from({ length: KEYS }, (): string[] => []);
  /** Per key the place of the last acknowledged write in it. */
  private readonly acked: number[] = Array.from({ length: KEYS }, () => -1);
  private readonly busy = new Set<number>();
  private readonly open: Promise<void>[] = [];
  /** Per node who waits for an answer of it. */
  private readonly clients = new Map<string, Set<(error: Error) => void>>();
  private faulty: { readonly node: string; readonly fault: 'crash' | 'cut' | 'pause' } | undefined;
  readonly counts = { acked: 0, unknown: 0, refused: 0, read: 0, failedReads: 0 };

  async take(step: Step): Promise<void> {
    const { cluster } = this;
    if (step.kind === 'write' || step.kind === 'read') {
      const node = cluster.ids[step.at] ?? '';
      if (!cluster.isRunning(node) || cluster.node(node).membership.view === undefined) return;
      this.open.push(step.kind === 'write' ? this.write(node, step.key) : this.read(node, step.key));
    } else if (step.kind === 'fault') {
      await this.break(cluster.ids[step.node] ?? '', step.fault, step.kept);
    } else {
      await this.heal();
      if (step.kind === 'heal') return;
      for (const id of cluster.ids) await this.crash(id, 0);
      await this.start();
    }
  }

  /** One fault at a time: a majority is always there. */
  private async break(node: string, fault: 'crash' | 'cut' | 'pause', kept: number): Promise<void> {
    if (this.faulty !== undefined) return;
    this.faulty = { node, fault };
    if (fault === 'crash') await this.crash(node, kept);
    else if (fault === 'pause') this.cluster.pause(node);
    else for (const other of this.cluster.ids) if (other !== node) this.cluster.cut(node, other);
  }

  private async crash(node: string, kept: number): Promise<void> {
    await this.cluster.crash(node, (bytes) => Math.min(bytes, kept));
    for (const lose of this.clients.get(node) ?? [])
      lose(new StoreError('internal', 'the node is gone', { outcome: 'unknown' }));
    this.clients.delete(node);
  }

  /** As its client sees it: a node that crashes takes the connection with it. */
  private async ask<T>(node: string, request: Promise<T>): Promise<T> {
    const clients = this.clients.get(node) ?? new Set();
    this.clients.set(node, clients);
    return new Promise<T>((resolve, reject) => {
      clients.add(reject);
      request.then(resolve, reject).finally(() => clients.delete(reject));
    });
  }

  async heal(): Promise<void> {
    const { faulty, cluster } = this;
    this.faulty = undefined;
    if (faulty?.fault === 'crash') await cluster.launch(faulty.node);
    else if (faulty?.fault === 'pause') cluster.resume(faulty.node);
    else if (faulty !== undefined)
      for (const other of cluster.ids) if (other !== faulty.node) cluster.mend(faulty.node, other);
  }

  async start(): Promise<void> {
    await this.cluster.start();
  }

  /** Blind writes one after another: each replaces, wherever it is coordinated, what was acknowledged before it. */
  private async write(node: string, key: number): Promise<void> {
    if (this.busy.has(key)) return;
    this.busy.add(key);
    const values = this.written[key] ?? [];
    const place = values.push(`${key}.${values.length}`) - 1;
    try {
      const request = put(`${key}`, values[place] ?? '', { w: 2, timeoutMs: 400 });
      await this.ask(node, this.cluster.node(node).api.write(request));
      this.acked[key] = place;
      this.counts.acked++;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.details.outcome === 'not_applied') this.counts.refused++;
      else this.counts.unknown++;
      expect(error.details.outcome).toBeOneOf(['unknown', 'not_applied']);
    } finally {
      this.busy.delete(key);
    }
  }

  private async read(node: string, key: number): Promise<void> {
    const ackedBefore = this.acked[key] ?? -1;
    try {
      const request = get(`${key}`, { r: 2, timeoutMs: 400 });
      const found = await this.ask(node, this.cluster.node(node).api.get(request));
      this.counts.read++;
      this.check(key, valuesOf(found), ackedBefore);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.counts.failedReads++;
    }
  }

  /** The acknowledged write, or one that was sent after it, is there; nothing is there that nobody wrote. */
  private check(key: number, found: readonly string[], acked: number): void {
    const values = this.written[key] ?? [];
    for (const value of found) expect(values).toContain(value);
    if (acked < 0) return;
    const newest = Math.max(-1, ...found.map((value) => values.indexOf(value)));
    expect(newest, `key ${key}: ${found} after ${values[acked]} was acknowledged`).toBeGreaterThanOrEqual(acked);
  }

  async end(): Promise<void> {
    await this.heal();
    await this.cluster.settle(Promise.all(this.open));
    for (const id of this.cluster.ids) if (!this.cluster.isRunning(id)) await this.cluster.launch(id);
    await this.cluster.until(
      () => this.cluster.ids.every((id) => this.cluster.node(id).membership.standing.actor !== undefined),
      'every node to be granted',
    );
    await this.cluster.pass(1500);
    expect(this.cluster.fatal).toEqual(new Map());
    for (const [key, acked] of this.acked.entries()) {
      for (const id of this.cluster.ids) {
        const found = await this.cluster.settle(this.cluster.node(id).api.get(get(`${key}`, { r: 2 })));
        this.check(key, valuesOf(found), acked);
      }
    }
  }
}

describe('under any schedule of faults', () => {
  it('what w=2 acknowledged is read with r=2, while a node is gone and after the power failed everywhere', async () => {
    const total = { acked: 0, unknown: 0, refused: 0, read: 0, failedReads: 0 };
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        const run = new Run();
        await run.start();
        for (const [step, ms] of steps) {
          await run.take(step);
          await run.cluster.pass(ms);
        }
        await run.end();
        for (const name of ['acked', 'unknown', 'refused', 'read', 'failedReads'] as const)
          total[name] += run.counts[name];
      }),
      { numRuns: 40 },
    );
    // The run proves something: requests succeeded, and faults were felt.
    expect(total.acked).toBeGreaterThan(100);
    expect(total.read).toBeGreaterThan(50);
    expect(total.unknown).toBeGreaterThan(5);
  }, 120_000);
});
