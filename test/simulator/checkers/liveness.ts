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
  checkDeadlines(simulation);
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

function checkDeadlines(simulation: Simulation): void {
  const { history, machines, plan } = simulation;
  const paused = new Set(plan.faults.flatMap((fault) => (fault.kind === 'pause' ? [fault.node] : [])));
  for (const { operation, invokedMs, completedMs, key, node, life } of history.requests) {
    const machine = machines.find(({ id }) => id === node);
    if (machine === undefined) continue;
    if (completedMs === undefined && machine.isRunning && machine.lifeNumber === life) {
      simulation.violated('liveness', `${key}: #${operation.id} (${operation.kind} at ${node}) was never answered`);
    }
    const tookMs = (completedMs ?? invokedMs) - invokedMs;
    if (tookMs > operation.timeoutMs * CLOCK_SLACK + GRACE_MS && !paused.has(machine.index)) {
      simulation.violated(
        'liveness',
        `${key}: #${operation.id} had ${operation.timeoutMs} ms and took ${Math.round(tookMs)} ms`,
      );
    }
  }
}
