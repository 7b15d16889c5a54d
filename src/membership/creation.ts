import type { ClusterConfig } from '../config/cluster-config.ts';
import type { CreateCommand } from '../core/cluster/command.ts';
import { type MemberNumber, memberNumber, type NodeId } from '../core/ids.ts';
import { planOwnership } from '../core/ring/planner.ts';
import { FatalError } from '../errors.ts';
import type { Random } from '../ports.ts';
import type { Founder } from './founding.ts';
import { nonce } from './store-identity.ts';

const SECRET_BYTES = 32;

/** Numbers of the members that the file names, in its order. */
export function founderNumbers(config: ClusterConfig): readonly MemberNumber[] {
  return config.nodes.map((_, index) => memberNumber(index + 1));
}

/** What all files must agree on when the cluster is created, in one line. */
export function fileDigest({ cluster, partitions, replication, nodes }: ClusterConfig): string {
  return JSON.stringify([cluster, partitions, replication.n, nodes.map(({ id }) => id)]);
}

/** The cluster as cluster.yaml wants it; the secret and the identity are drawn here. */
export function creationCommand(config: ClusterConfig, founders: readonly Founder[], random: Random): CreateCommand {
  const numberOf = new Map(founders.map(({ id, number }) => [id, number]));
  const members = config.nodes.flatMap(({ id, zone, weight, host, http, rpc }) => {
    const number = numberOf.get(id);
    return number === undefined ? [] : [{ id, number, zone, weight, host, http, rpc }];
  });
  const { n, r, w } = config.replication;
  return {
    kind: 'create',
    cluster: config.cluster,
    clusterId: nonce(random),
    secret: random.bytes(SECRET_BYTES),
    n,
    settings: { r, w, durability: config.durability },
    members,
    ownership: planOwnership({ members, partitions: config.partitions, n }),
  };
}

/** Where the node is reached, as its own file says. Errors: FatalError (2). */
export function addressesOf(config: ClusterConfig, self: NodeId) {
  const own = config.nodes.find(({ id }) => id === self);
  if (own === undefined) throw new FatalError(`${self} is not in cluster.yaml`, 2);
  return { host: own.host, http: own.http, rpc: own.rpc };
}
