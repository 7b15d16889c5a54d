import { formatDot } from '../../../src/core/causality/dot.ts';
import {
  type DotSet,
  dotSetOf,
  EMPTY_DOTS,
  hasDot,
  isSubset,
  subtract,
  union,
} from '../../../src/core/causality/dot-set.ts';
import type { ObjectKey } from '../../../src/core/ids.ts';
import { type Answer, dotName, type Request, shownBy, type WriteEvent } from '../history.ts';
import type { Simulation } from '../simulation.ts';

type Read = Extract<Answer, { kind: 'read' }>;
type Written = Extract<Answer, { kind: 'written' }>;

interface Due {
  written: DotSet;
  covered: DotSet;
}

/**
 * What reads show.
 *
 * 1. No phantoms: every value that is shown, also by a write's answer, was written, to that key, under that dot.
 * 2. Honest contexts: what a read's or a write's context covers and its siblings do not show had been overwritten or deleted by
 *    then (rule C5: a context is what was seen, not what came before).
 * 3. Siblings are concurrent: none of them is covered by a write that another one stands for.
 * 4. Invariant 6, strict quorums: a read that begins after a write was acknowledged, with `r + w > n`, shows it or what covered it,
 *    unless all owners that had it have lost their folders before a fallback could give it back.
 * 5. Nothing that an acknowledged write covered is shown by such a read (no resurrection).
 */
export function checkReads(simulation: Simulation): void {
  for (const key of simulation.history.keys()) new ReadsOfKey(simulation, key).check();
}

class ReadsOfKey {
  private readonly simulation: Simulation;
  private readonly key: ObjectKey;
  private readonly requests: readonly Request[];
  private readonly events: readonly WriteEvent[];
  private readonly coverable: ReadonlyMap<string, number>;

  constructor(simulation: Simulation, key: ObjectKey) {
    this.simulation = simulation;
    this.key = key;
    this.requests = simulation.history.requestsOf(key);
    this.events = simulation.history.eventsOf(key);
    this.coverable = simulation.history.coverableSince(key);
  }

  check(): void {
    this.checkFreshness();
    for (const request of this.requests) {
      const { answer } = request;
      this.checkPhantoms(request);
      if (answer?.kind === 'read') {
        this.checkContext(request, answer);
        this.checkConcurrency(request, answer);
      }
      if (answer?.kind === 'written') {
        this.checkWrittenContext(request, answer);
        this.checkReturned(request, answer);
      }
      if (answer?.kind === 'sibling') this.checkSibling(request, answer);
    }
  }

  private checkPhantoms(request: Request): void {
    const partition = this.events[0]?.partition;
    for (const { dot, value } of shownBy(request.answer)) {
      const event = partition === undefined ? undefined : this.simulation.history.events.get(dotName(partition, dot));
      if (event?.key !== this.key || String(event.operation) !== value) {
        this.report('phantom', request, `shows ${value} under ${formatDot(dot)}, which nobody wrote`);
      }
    }
  }

  private checkContext(request: Request, { siblings, context }: Pick<Read, 'siblings' | 'context'>): void {
    const shown = new Set(siblings.map(({ dot }) => formatDot(dot)));
    for (const event of this.events) {
      const { dot, name, version } = event;
      if (version === undefined || shown.has(name) || !hasDot(context, dot) || this.isLost(event)) continue;
      if (this.isCoverable(name, request.completedMs)) continue;
      this.report('contexts', request, `covers ${name} without showing it, and nothing had overwritten it`);
    }
  }

  /** What was sent, or replaced, and the write itself. */
  private checkWrittenContext(request: Request, { context }: Written): void {
    for (const event of this.events) {
      const { dot, name, operation } = event;
      if (!hasDot(context, dot) || operation === request.operation.id || this.isLost(event)) continue;
      if (request.sent !== undefined && hasDot(request.sent, dot)) continue;
      if (this.isCoverable(name, request.completedMs) || request.operation.kind === 'delete') continue;
      this.report(
        'contexts',
        request,
        `was answered with a context that covers ${name}, which it neither sent nor replaced`,
      );
    }
  }

  /** What is shown beside the write it answers had not been covered by it. */
  private checkReturned(request: Request, { siblings }: Written): void {
    const { sent } = request;
    const covered = siblings.find(({ dot }) => sent !== undefined && hasDot(sent, dot));
    if (covered !== undefined) this.report('siblings', request, `returned ${covered.value}, which it was written over`);
  }

  /** One sibling at most, the one that was asked for; and the context covers no other value that is still there. */
  private checkSibling(request: Request, { siblings, context }: Extract<Answer, { kind: 'sibling' }>): void {
    if (siblings.length > 1) this.report('siblings', request, `shows ${siblings.length} of them, one was asked for`);
    this.checkContext(request, { siblings, context });
  }

  private checkConcurrency(request: Request, { siblings }: Read): void {
    for (const { value } of siblings) {
      const sent = this.simulation.history.requestOf(Number(value))?.sent;
      const covered = siblings.find(({ dot }) => sent !== undefined && hasDot(sent, dot));
      if (covered !== undefined)
        this.report('siblings', request, `shows ${covered.value} beside ${value}, which was written over it`);
    }
  }

  /** Writes by the time of their acknowledgement, reads by the time of their beginning, merged; per number of owners what is due. */
  private checkFreshness(): void {
    const writes = this.requests
      .flatMap((request) => (request.answer?.kind === 'written' ? [request] : []))
      .sort(byCompletion);
    const reads = this.requests.flatMap((request) => (request.answer?.kind === 'read' ? [request] : []));
    const due = Array.from({ length: this.simulation.plan.shape.n + 1 }, () => ({
      written: EMPTY_DOTS,
      covered: EMPTY_DOTS,
    }));
    let next = 0;
    for (const read of reads.sort((a, b) => a.invokedMs - b.invokedMs)) {
      for (
        let write = writes[next];
        write !== undefined && (write.completedMs ?? 0) < read.invokedMs;
        write = writes[++next]
      ) {
        this.addDue(due, write);
      }
      if (read.answer?.kind === 'read') this.checkDue(read, read.answer, due[read.answer.n - read.answer.owners + 1]);
    }
  }

  private addDue(due: Due[], { answer, operation }: Request): void {
    if (answer?.kind !== 'written') return;
    const { history } = this.simulation;
    const events = history.eventsOfOperation(operation.id);
    if (events.some((event) => history.wasOwnerless(event))) return;
    const own = dotSetOf(events.map(({ dot }) => dot));
    const covered = subtract(answer.context, own);
    for (let owners = 1; owners <= answer.owners; owners++) {
      const before = due[owners];
      if (before === undefined) continue;
      before.written = union(before.written, own);
      // A delete's own dot names no value: counting it as covered does no harm.
      before.covered = union(before.covered, covered);
    }
  }

  /** `due`: what was acknowledged by enough owners for this read to meet one of them. */
  private checkDue(read: Request, { siblings, context }: Read, due: Due | undefined): void {
    if (due === undefined) return;
    if (!isSubset(due.written, context)) {
      const missed = this.events.filter(({ dot }) => hasDot(due.written, dot) && !hasDot(context, dot));
      const names = missed.map(({ dot, operation }) => `#${operation} (${formatDot(dot)})`);
      this.report('strict quorum', read, `misses ${names.join(', ')}, acknowledged before`);
    }
    const back = siblings.find(({ dot }) => hasDot(due.covered, dot));
    if (back !== undefined)
      this.report('resurrection', read, `shows ${back.value}, which an acknowledged write had covered before`);
  }

  private isLost(event: WriteEvent): boolean {
    return this.simulation.history.isLost(event);
  }

  private isCoverable(name: string, byMs: number | undefined): boolean {
    const since = this.coverable.get(name);
    return since !== undefined && since <= (byMs ?? Number.POSITIVE_INFINITY);
  }

  private report(checker: string, { operation, node }: Request, what: string): void {
    this.simulation.violated(checker, `${this.key}: #${operation.id} (${operation.kind} at ${node}) ${what}`);
  }
}

const byCompletion = (a: Request, b: Request): number => (a.completedMs ?? 0) - (b.completedMs ?? 0);
