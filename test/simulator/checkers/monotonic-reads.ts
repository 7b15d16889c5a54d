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
 * shows or covers every value that the first one showed, whether or not the write of it was ever acknowledged. Of a read that was
 * met with fallbacks, `r1` is its `pr`.
 */
export function checkMonotonicReads(simulation: Simulation): void {
  for (const key of simulation.history.keys()) checkKey(simulation, key);
}

function checkKey(simulation: Simulation, key: ObjectKey): void {
  const reads = simulation.history
    .requestsOf(key)
    .flatMap((request) => (request.answer?.kind === 'read' ? [{ request, answer: request.answer }] : []));
  const answered = reads.toSorted((a, b) => (a.request.completedMs ?? 0) - (b.request.completedMs ?? 0));
  /** By number of owners: what reads of at least so many have shown. */
  const shown = Array.from({ length: simulation.plan.shape.n + 1 }, () => EMPTY_DOTS);
  let next = 0;
  for (const read of reads.toSorted((a, b) => a.request.invokedMs - b.request.invokedMs)) {
    for (let earlier = answered[next]; isBefore(earlier, read); earlier = answered[++next]) {
      if (earlier !== undefined) addShown(shown, earlier);
    }
    checkRead(simulation, read, shown[read.answer.n - read.answer.owners + 1] ?? EMPTY_DOTS);
  }
}

function isBefore(earlier: AnsweredRead | undefined, { request }: AnsweredRead): boolean {
  return earlier?.request.completedMs !== undefined && earlier.request.completedMs < request.invokedMs;
}

function addShown(shown: DotSet[], { request, answer }: AnsweredRead): void {
  const { siblings, required, owners: byOwners, n } = answer;
  const dots = dotSetOf(siblings.map(({ dot }) => dot));
  const promised = byOwners >= required ? required : levelOf(request.operation.owners, n);
  for (let owners = 1; owners <= promised; owners++) shown[owners] = union(shown[owners] ?? EMPTY_DOTS, dots);
}

const levelOf = (level: QuorumLevel, n: number): number => (level === 0 ? 0 : (resolveLevel(level, n) ?? 0));

function checkRead(simulation: Simulation, { request, answer }: AnsweredRead, due: DotSet): void {
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
