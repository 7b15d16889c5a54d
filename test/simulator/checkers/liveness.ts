import type { Simulation } from '../simulation.ts';

/** A node's clock may be slow, and a time-out may be noticed a moment late. */
const CLOCK_SLACK = 1.2;
const GRACE_MS = 500;

/**
 * Every request ends by its deadline, as far as the process it was sent to lived on and ran; and once all faults are over, every key
 * whose partition kept a quorum of owners is read and written at every node.
 */
export function checkLiveness(simulation: Simulation): void {
  const { machines, clients, clusterState, plan } = simulation;
  for (const { operation, completedMs, key, node } of clients.probes) {
    if (completedMs === undefined)
      simulation.violated('liveness', `${key}: a probe at ${node} (#${operation.id}) was never answered`);
  }
  const lost = new Set(machines.filter(({ isLost }) => isLost).map(({ id }) => id));
  const needed = Math.floor(plan.shape.n / 2) + 1;
  for (const { answer, key, node, operation } of clients.probes) {
    if (answer === undefined || answer.kind === 'read' || answer.kind === 'written') continue;
    const place = machines.find(({ id }) => id === node)?.node?.api.ringOf('b', key.slice(2));
    const owners = clusterState?.ownership[place?.partition ?? -1]?.owners ?? [];
    const members = clusterState?.members ?? [];
    const alive = owners.filter((number) => members.some((member) => member.number === number && !lost.has(member.id)));
    if (alive.length < needed) continue;
    if (answer.kind === 'refused' && answer.code === 'sibling-limit') continue;
    simulation.violated(
      'liveness',
      `${key}: after healing, #${operation.id} (${operation.kind} at ${node}) failed: ${JSON.stringify(answer)}`,
    );
  }
}

/** Of requests whose node neither ended nor stood still meanwhile. Called when one ends. */
export function isTooLate(timeoutMs: number, tookMs: number): boolean {
  return tookMs > timeoutMs * CLOCK_SLACK + GRACE_MS;
}
