import { DecodeError } from '../core/bytes.ts';
import type { ClusterState } from '../core/cluster/cluster-state.ts';
import type { NodeId } from '../core/ids.ts';
import type { RaftId } from '../core/raft/types.ts';

/** Under which Raft id each node speaks. A later id of a node ends the one before for good (R7); later ids are greater. */
export class Voices {
  private readonly nodes = new Map<RaftId, NodeId>();
  private readonly ids = new Map<NodeId, RaftId>();

  constructor(known: ReadonlyMap<RaftId, NodeId>) {
    for (const [id, node] of known) this.put(node, id);
  }

  nodeOf(id: RaftId): NodeId | undefined {
    return this.nodes.get(id);
  }

  voiceOf(node: NodeId): RaftId | undefined {
    return this.ids.get(node);
  }

  learn({ members }: Pick<ClusterState, 'members'>): void {
    for (const { id, raft } of members) this.put(id, raft);
  }

  /**
   * Whether the node may speak under this id. One that is not known here yet was given since this node last applied anything: it is
   * heard, since its candidate may know a later configuration (R6). Errors: DecodeError when the id is another node's.
   */
  hear(node: NodeId, id: RaftId): boolean {
    const owner = this.nodes.get(id);
    if (owner !== undefined && owner !== node) throw new DecodeError(`${node} speaks for raft id ${id}`);
    this.put(node, id);
    return this.ids.get(node) === id;
  }

  private put(node: NodeId, id: RaftId): void {
    const before = this.ids.get(node);
    if (before !== undefined && before >= id) return;
    if (before !== undefined) this.nodes.delete(before);
    this.ids.set(node, id);
    this.nodes.set(id, node);
  }
}
