import { formatDot } from '../../../src/core/causality/dot.ts';
import { type DotSet, dotSetOf, EMPTY_DOTS, hasDot, isSubset, union } from '../../../src/core/causality/dot-set.ts';
import type { ObjectKey } from '../../../src/core/ids.ts';
import { type QuorumLevel, resolveLevel } from '../../../src/core/quorum/quorum-spec.ts';
import type { Answer, Request } from '../history.ts';
import type { Simulation } from '../simulation.ts';

type Read = Extract<Answer, { kind: 'read' }>;

interface AnsweredRead {
  readonly request: Request;
  readonly answer: Read;
}

/**
 * H11: strict quorum reads are monotonic. A read of `r2` owners that begins after a read of `r1` owners was answered, with `r1 + r2 > n`,
 * 1. shows or covers every value that the first one showed, whether or not the write of it was ever acknowledged;
 * 2. shows no value that the first one's context covered and that it did not show, unless an owner's process has started since the
 *    value was written: owners know their late deletions from memory.
 * Of a read that was met with fallbacks, `r1` is its `pr`.
 */
export function checkMonotonicReads(simulation: Simulation): void {
  for (const key of simulation.history.keys()) checkKey(simulation, key);
}

/** By number of owners: what reads of at least so many have shown, and what they have said is gone. */
interface Earlier {
  readonly shown: DotSet[];
  readonly gone: DotSet[];
}

function checkKey(simulation: Simulation, key: ObjectKey): void {
  const reads = simulation.history
    .requestsOf(key)
    .flatMap((request) => (request.answer?.kind === 'read' ? [{ request, answer: request.answer }] : []));
  const answered = reads.toSorted((a, b) => (a.request.completedMs ?? 0) - (b.request.completedMs ?? 0));
  const none = (): DotSet[] => Array.from({ length: simulation.plan.shape.n + 1 }, () => EMPTY_DOTS);
  const known: Earlier = { shown: none(), gone: none() };
  let next = 0;
  for (const read of reads.toSorted((a, b) => a.request.invokedMs - b.request.invokedMs)) {
    for (let earlier = answered[next]; isBefore(earlier, read); earlier = answered[++next]) {
      if (earlier !== undefined) learn(simulation, known, earlier);
    }
    const level = read.answer.n - read.answer.owners + 1;
    checkShown(simulation, read, known.shown[level] ?? EMPTY_DOTS);
    checkGone(simulation, read, known.gone[level] ?? EMPTY_DOTS);
  }
}

function isBefore(earlier: AnsweredRead | undefined, { request }: AnsweredRead): boolean {
  return earlier?.request.completedMs !== undefined && earlier.request.completedMs < request.invokedMs;
}

function learn(simulation: Simulation, { shown, gone }: Earlier, { request, answer }: AnsweredRead): void {
  const { siblings, required, owners: byOwners, n } = answer;
  const dots = dotSetOf(siblings.map(({ dot }) => dot));
  const covered = simulation.history
    .eventsOf(request.key)
    .filter((event) => hasDot(answer.context, event.dot) && !hasDot(dots, event.dot))
    .filter(({ atMs }) => simulation.machines.every(({ startedMs }) => startedMs.every((ms) => ms < atMs)));
  const promised = byOwners >= required ? required : levelOf(request.operation.owners, n);
  for (let owners = 1; owners <= promised; owners++) {
    shown[owners] = union(shown[owners] ?? EMPTY_DOTS, dots);
    gone[owners] = union(gone[owners] ?? EMPTY_DOTS, dotSetOf(covered.map(({ dot }) => dot)));
  }
}

const levelOf = (level: QuorumLevel, n: number): number => (level === 0 ? 0 : (resolveLevel(level, n) ?? 0));

function checkShown(simulation: Simulation, { request, answer }: AnsweredRead, due: DotSet): void {
  if (isSubset(due, answer.context)) return;
  const { operation, key, node } = request;
  const missed = simulation.history
    .eventsOf(key)
    .filter((event) => hasDot(due, event.dot) && !hasDot(answer.context, event.dot))
    .filter((event) => !simulation.history.wasOwnerless(event))
    .map((event) => `#${event.operation} (${formatDot(event.dot)})`);
  if (missed.length === 0) return;
  simulation.violated(
    'monotonic reads',
    `${key}: #${operation.id} (get at ${node}) misses ${missed.join(', ')}, which an earlier read showed`,
  );
}

function checkGone(simulation: Simulation, { request, answer }: AnsweredRead, gone: DotSet): void {
  const { operation, key, node } = request;
  for (const { dot, value } of answer.siblings) {
    if (!hasDot(gone, dot)) continue;
    simulation.violated(
      'monotonic reads',
      `${key}: #${operation.id} (get at ${node}) shows #${value} (${formatDot(dot)}), of which an earlier read said that it is gone`,
    );
  }
}
