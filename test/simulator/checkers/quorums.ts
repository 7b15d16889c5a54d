import { resolveLevel } from '../../../src/core/quorum/quorum-spec.ts';
import type { Answer, Request } from '../history.ts';
import type { Simulation } from '../simulation.ts';

type Granted = Extract<Answer, { kind: 'read' | 'written' }>;

/**
 * H9, H13: an answer proves what was asked for, and nothing is lowered silently: the quorum is the one of the request against N, so
 * many owners and fallbacks answered (a strict request: owners alone), and those that a write names are distinct, the owners among
 * them owners of the key.
 */
export function checkQuorums(simulation: Simulation): void {
  for (const request of simulation.history.requests) {
    const { answer } = request;
    if (answer?.kind !== 'read' && answer?.kind !== 'written') continue;
    for (const what of shortcomings(simulation, request, answer)) {
      simulation.violated('quorums', `${request.key}: #${request.operation.id} at ${request.node} ${what}`);
    }
  }
}

function shortcomings(simulation: Simulation, { operation, key }: Request, answer: Granted): readonly string[] {
  const { n } = simulation.plan.shape;
  const asked = resolveLevel(operation.level, n);
  const ownersAsked = operation.owners === 0 ? 0 : (resolveLevel(operation.owners, n) ?? n);
  const found: string[] = [];
  if (answer.required !== asked) found.push(`asked for ${asked} and was answered under a quorum of ${answer.required}`);
  const { owners: byOwners, fallbacks } = answer;
  if (byOwners + fallbacks < answer.required)
    found.push(`needs ${answer.required} and was answered by ${byOwners} owners and ${fallbacks} fallbacks`);
  if (operation.sloppy === false && fallbacks > 0)
    found.push(`asked for owners only and counts ${fallbacks} fallbacks`);
  if (answer.owners < ownersAsked) found.push(`needs ${ownersAsked} owners and was answered by ${answer.owners}`);
  if (answer.kind === 'read') return found;
  const partition = simulation.history.eventsOf(key)[0]?.partition;
  const { members, ownership } = simulation.clusterState ?? { members: [], ownership: [] };
  const owners = ownership[partition ?? -1]?.owners ?? [];
  const named = new Set(
    answer.by.filter((id) => owners.some((number) => members.some((m) => m.number === number && m.id === id))),
  );
  if (new Set(answer.by).size < byOwners + fallbacks)
    found.push(`counts ${byOwners + fallbacks} nodes and names ${answer.by.join(', ')}`);
  if (named.size < answer.owners) found.push(`claims ${answer.owners} owners and names ${answer.by.join(', ')}`);
  return found;
}
