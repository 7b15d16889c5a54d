import type { GetResult, WriteResult } from '../../../src/coordinator/api.ts';
import { formatDot } from '../../../src/core/causality/dot.ts';
import type { Request } from '../history.ts';
import type { Simulation } from '../simulation.ts';

/** What `explain=true` tells of a request fits its answer. */
export function checkExplanations(simulation: Simulation): void {
  for (const { request, result } of simulation.clients.explained) {
    if ('durable' in result) checkWriteExplanation(simulation, request, result);
    else checkReadExplanation(simulation, request, result);
  }
}

/** It shows what was merged, and that as many owners as must answer held what is shown (H11). */
function checkReadExplanation(simulation: Simulation, request: Request, result: GetResult): void {
  const { explanation, siblings, quorum } = result;
  if (explanation === undefined) return;
  const merged = (explanation.merged ?? []).join(' ');
  const shown = siblings.map(({ dot }) => formatDot(dot)).join(' ');
  const answered = explanation.replicas.filter(
    ({ answeredMs, askedAs }) => answeredMs !== undefined && askedAs !== 'fallback',
  );
  const standIns = explanation.replicas.filter(
    ({ answeredMs, askedAs }) => answeredMs !== undefined && askedAs === 'fallback',
  );
  const holders = new Set([
    ...answered.filter((replica) => replica.siblings?.join(' ') === merged).map(({ node }) => node),
    ...explanation.writtenBack.filter(({ durableMs }) => durableMs !== undefined).map(({ node }) => node),
  ]);
  if (request.operation.variant !== 'sibling' && merged !== shown)
    report(simulation, request, `${merged}, shows ${shown}`);
  if (answered.length < quorum.owners) report(simulation, request, `${answered.length} answers, had ${quorum.owners}`);
  if (standIns.length < quorum.fallbacks)
    report(simulation, request, `${standIns.length} fallbacks, had ${quorum.fallbacks}`);
  if (quorum.owners >= quorum.required && holders.size < quorum.required)
    report(simulation, request, `${holders.size} owners that hold what is shown, of ${quorum.required}`);
}

/** Who is said to have a write by the explanation is who is said to have it by the answer. */
function checkWriteExplanation(simulation: Simulation, request: Request, result: WriteResult): void {
  const { explanation, quorum } = result;
  if (explanation === undefined) return;
  const durable = explanation.replicas.filter(({ durableMs }) => durableMs !== undefined);
  const owners = durable.filter(({ fallback }) => fallback !== true).length;
  const standIns = durable.length - owners;
  if (owners < quorum.owners) report(simulation, request, `${owners} of ${quorum.owners} owners`);
  if (standIns < quorum.fallbacks) report(simulation, request, `${standIns} of ${quorum.fallbacks} fallbacks`);
}

function report(simulation: Simulation, { operation, key, node }: Request, what: string): void {
  simulation.violated('explanations', `${key}: #${operation.id} (${operation.kind} at ${node}) explains ${what}`);
}
