import { type Actor, actorOf } from '../core/causality/dot.ts';
import type { ClusterState, CommandRefusal } from '../core/cluster/cluster-state.ts';
import type { Addresses } from '../core/cluster/command.ts';
import type { NodeId } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import { FatalError, StoreError } from '../errors.ts';
import type { Clock, Logger, Random } from '../ports.ts';
import type { MetadataGroup } from './metadata-group.ts';
import type { StartRecord } from './store-identity.ts';

export interface GrantNeeds {
  readonly self: NodeId;
  readonly store: string;
  readonly addresses: Addresses;
  readonly group: MetadataGroup;
  readonly starts: StartRecord;
  readonly random: Random;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isStopped: () => boolean;
}

export interface Granted {
  readonly actor: Actor;
  /** The nonce of this start: the session of its proposals. */
  readonly start: string;
  /** With all that was committed before the grant. */
  readonly state: ClusterState;
}

const PROPOSE_MS = 5000;
const AGAIN_MS = 100;

/**
 * Asks the metadata group for this start's right to write, until it is given or refused for good.
 * The start is known to the data folder, durably, before anybody hears of it: see GrantCommand.
 * `outdated`: the folder is older than the one that has the latest grant. Undefined when the node, or its part in the group, was
 * stopped before the grant was durable. Errors: FatalError when it is refused for another reason.
 */
export async function obtainGrant(needs: GrantNeeds): Promise<Granted | 'outdated' | undefined> {
  const { self, store, addresses, group, starts, random, clock, logger } = needs;
  const { start, attempts } = await starts.begin(random);
  while (!needs.isStopped()) {
    try {
      const result = await group.propose(
        { kind: 'grant', member: self, store, start, attempts, addresses },
        PROPOSE_MS,
      );
      if (result.kind === 'granted') {
        await starts.granted(start, result.grant);
        // The place may have been lost during the flush, and all that was granted under it.
        if (needs.isStopped()) return undefined;
        const state = group.currentState;
        invariant(state !== undefined, 'a grant was applied to a state');
        return { actor: actorOf(numberOf(state, self), result.grant), start, state };
      }
      if (result.kind === 'refused' && result.reason === 'restored') return 'outdated';
      if (result.kind === 'refused' && result.reason !== 'no-cluster')
        throw refusal(self, result.reason, result.detail);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'no-leader')) throw error;
      if (!needs.isStopped()) logger.warn({ reason: error.message }, 'no grant to coordinate writes yet');
    }
    await new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve));
  }
  return undefined;
}

function numberOf(state: ClusterState, self: NodeId) {
  const member = state.members.find(({ id }) => id === self);
  if (member === undefined) throw new FatalError(`${self} is not a member of the cluster`, 2);
  return member.number;
}

function refusal(self: NodeId, reason: CommandRefusal, detail: string): FatalError {
  if (reason === 'unknown-member')
    return new FatalError(`${detail}: ${self} was not in cluster.yaml when the cluster was created`, 2);
  return new FatalError(`the metadata group refuses ${self} the right to write: ${detail}`);
}
