import type { Simulation } from '../simulation.ts';

/** H26: every partition has N distinct owners in min(N, zones) distinct zones; and all nodes hold the same cluster state for an epoch. */
export function checkPlacement(simulation: Simulation): void {
  const { clusterState, plan, config, machines } = simulation;
  if (clusterState === undefined) return;
  const zoneOf = new Map(clusterState.members.map(({ number, zone }) => [number, zone]));
  const zones = new Set(config.nodes.map(({ zone }) => zone)).size;
  for (const [partition, { owners }] of clusterState.ownership.entries()) {
    const distinct = new Set(owners);
    if (distinct.size !== plan.shape.n)
      simulation.violated('placement', `partition ${partition} is owned by ${owners.join(', ')}`);
    const covered = new Set(owners.map((owner) => zoneOf.get(owner))).size;
    if (covered !== Math.min(plan.shape.n, zones))
      simulation.violated('placement', `partition ${partition} is in ${covered} zones of ${zones}`);
  }
  for (const { id, node } of machines) {
    const state = node?.membership.view?.state;
    if (state === undefined) continue;
    if (state.clusterId !== clusterState.clusterId)
      simulation.violated('placement', `${id} is in a cluster of its own`);
    if (JSON.stringify(state.ownership) !== JSON.stringify(clusterState.ownership))
      simulation.violated('placement', `${id} has other owners`);
  }
}
