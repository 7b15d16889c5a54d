import { pack } from 'msgpackr';
import { type ByteReader, DecodeError } from '../core/bytes.ts';
import { applyCommand } from '../core/cluster/apply-command.ts';
import type { ClusterState } from '../core/cluster/cluster-state.ts';
import type { Command } from '../core/cluster/command.ts';
import { type LogIndex, logIndex, type NodeId } from '../core/ids.ts';
import { type RaftId, raftId } from '../core/raft/types.ts';
import type { Clock } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Calls } from '../rpc/calls.ts';
import type { RequestHandler } from '../rpc/incoming.ts';
import { unpackOrFail } from './command-codec.ts';

/** A member's latest start, as a node knows it. */
export interface KnownStart {
  /** Empty: none since the member was last given a place in the metadata group. */
  readonly start: string;
  readonly grant: LogIndex;
  /** A later one than the folder's own: another folder has taken its place. */
  readonly raft: RaftId;
}

export interface LatestFolderNeeds {
  readonly peers: readonly NodeId[];
  readonly calls: Calls;
  readonly clock: Clock;
  /** Whether what a peer knows shows that this folder is an older copy. */
  readonly isBehind: (known: KnownStart) => boolean;
  readonly isStopped: () => boolean;
}

/** So long a start waits for nodes that do not answer. */
const WAIT_MS = 1000;
const AGAIN_MS = 50;
/** Between two questions of a node that takes part and does not know. */
const ASK_ON_MS = 500;

/**
 * Whether the data folder is, for all that the other nodes know, the latest one of this node: asked before the node takes part in the
 * metadata group, since a folder that was put back from a copy has forgotten its votes (R3), and by the time that its grant was
 * refused it could have given one twice. Where nobody who knows better can be reached for a second, the node takes part.
 */
export async function isLatestFolder({
  peers,
  calls,
  clock,
  isBehind,
  isStopped,
}: LatestFolderNeeds): Promise<boolean> {
  const endMs = clock.monotonicMs() + WAIT_MS;
  let silent = peers;
  while (silent.length > 0 && !isStopped() && clock.monotonicMs() < endMs) {
    const answers = await Promise.all(silent.map((peer) => ask(calls, peer, endMs - clock.monotonicMs())));
    if (answers.some(shows(isBehind))) return false;
    silent = silent.filter((_, i) => answers[i] === undefined);
    if (silent.length > 0) await new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve));
  }
  return true;
}

/**
 * Asks on, for whoever takes part without having heard from all: in whose place another folder was readmitted is spoken to by nobody
 * of the metadata group any more, so that no refused grant would ever tell. Resolves once the folder is known to be an older copy;
 * with false when there is no need to know any more. Nobody is asked while the node is sure by itself.
 */
export async function turnsOutOlder(
  { peers, calls, clock, isBehind, isStopped }: LatestFolderNeeds,
  isUnsure: () => boolean = () => true,
): Promise<boolean> {
  for (;;) {
    await new Promise<void>((resolve) => clock.after(ASK_ON_MS, resolve));
    if (isStopped()) return false;
    if (!isUnsure()) continue;
    const answers = await Promise.all(peers.map((peer) => ask(calls, peer, WAIT_MS)));
    if (answers.some(shows(isBehind))) return !isStopped();
  }
}

const shows =
  (isBehind: LatestFolderNeeds['isBehind']) =>
  (answer: KnownStart | null | undefined): boolean =>
    answer !== undefined && answer !== null && isBehind(answer);

/** Null: it knows of no start. Undefined: it does not answer. */
async function ask(calls: Calls, peer: NodeId, withinMs: number): Promise<KnownStart | null | undefined> {
  const outcome = await calls.request(peer, METHOD.latestStart, new Uint8Array(0), Math.max(1, withinMs));
  if (outcome.kind !== 'reply') return undefined;
  const answer = unpacked(outcome.body);
  if (typeof answer !== 'object' || answer === null) return null;
  if (!('start' in answer && 'grant' in answer && 'raft' in answer)) return null;
  const { start, grant, raft } = answer;
  if (typeof start !== 'string' || typeof grant !== 'number' || typeof raft !== 'number') return null;
  return { start, grant: logIndex(grant), raft: raftId(raft) };
}

/** The member's latest start after these commands, which follow the state. */
export function latestStartOf(
  state: ClusterState | undefined,
  commands: readonly { readonly index: LogIndex; readonly command: Command | undefined }[],
  node: NodeId,
): KnownStart | undefined {
  let present = state;
  for (const { index, command } of commands)
    if (command !== undefined) present = applyCommand(present, command, index).state;
  const member = present?.members.find(({ id }) => id === node);
  return member && { start: member.starts.at(-1) ?? '', grant: member.grant, raft: member.raft };
}

/** Answers with the latest start of the asking node that this node knows; as one that knows of none while it is new itself. */
export function latestStartHandler(latestStart: (node: NodeId) => KnownStart | undefined): RequestHandler {
  return async (_, request) => request.reply(pack(latestStart(request.from) ?? null));
}

/** Null when it is nothing that could be read. */
function unpacked(body: ByteReader): unknown {
  try {
    return unpackOrFail(body.rest());
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
