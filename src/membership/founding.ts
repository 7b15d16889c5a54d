/**
 * How a node whose data folder has no voice in the metadata group comes into the cluster, before it takes part in anything.
 *
 * An empty folder is either new or lost, and only others can tell: a member that forgot its vote and its acknowledgements must not
 * give them again (R3), and one that forgot its objects must not answer as if there were none (H1). So before its first step such a
 * node asks every other one of its cluster.yaml, the voters above all:
 *
 * 1. When someone knows a cluster, the metadata group (asked afresh, not from memory) says whether this member had another folder. If
 *    not, the node joins in, with this one registered as its first. If it had, the node asks to be readmitted with the present one: under a new Raft id, and behind with its
 *    data until it has caught up (rule C8).
 * 2. When all voters say that they are new too, and from the same file, the cluster is founded. Each founder keeps the identities of
 *    the others' folders, so that one which is lost before the cluster state knows it is recognised as well.
 *
 * Founding needs all voters once; after that a majority serves. One who does not vote need not be there, but where it is and knows a
 * cluster, that one has lost all its voters: another in its place would give out anew what it had given out.
 */
import { pack, unpack } from 'msgpackr';
import { z } from 'zod';
import { type ByteReader, DecodeError } from '../core/bytes.ts';
import type { ClusterState } from '../core/cluster/cluster-state.ts';
import type { MemberNumber, NodeId } from '../core/ids.ts';
import type { RaftId } from '../core/raft/types.ts';
import { FatalError, StoreError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Calls } from '../rpc/calls.ts';
import type { RequestHandler } from '../rpc/incoming.ts';

/** What a node says when it asks. `file` names the content of its cluster.yaml as far as all nodes must agree on it. */
export interface Introduction {
  readonly store: string;
  readonly file: string;
  /** The folder that the cluster knows this member by: the node asks to be readmitted with its present one. */
  readonly replaces?: string | undefined;
}

export type IntroductionAnswer =
  /** No cluster known here; `store` is the answering node's own folder, `known` what it knows of the asking node's. */
  | { readonly kind: 'new'; readonly store: string; readonly file: string; readonly known: string | undefined }
  /** There is a cluster; `store` is another folder known to be the asking node's, empty when none is. */
  | { readonly kind: 'member'; readonly store: string; readonly founders: readonly Founder[] }
  | { readonly kind: 'stranger' }
  /** There is a cluster, but no leader to ask it: try again. */
  | { readonly kind: 'unsure' };

/** A member as Raft knows it. */
export interface Founder {
  readonly id: NodeId;
  readonly number: MemberNumber;
  readonly raft: RaftId;
  /** Empty when this node does not know it. */
  readonly store: string;
}

export type Admission =
  /** All voters are new; their folders. */
  | { readonly kind: 'found'; readonly stores: ReadonlyMap<NodeId, string> }
  /** The cluster exists, and this member may take part in it with its present folder. */
  | { readonly kind: 'join'; readonly founders: readonly Founder[] };

const ASK_AGAIN_MS = 200;
const ASK_TIMEOUT_MS = 2000;
const COMPLAIN_AFTER_ROUNDS = 25;

export interface FoundingNeeds {
  readonly self: NodeId;
  /** The voters of the file, this node perhaps among them. */
  readonly voters: readonly NodeId[];
  /** The other nodes of the file. */
  readonly learners: readonly NodeId[];
  readonly introduction: Introduction;
  /** False: the folder is not a new one, and must not make another cluster. */
  readonly mayFound: boolean;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isStopped: () => boolean;
}

/** Resolves once it is certain that this node may take part; undefined when it was stopped before. Errors: FatalError when it may not. */
export async function askToTakePart(needs: FoundingNeeds): Promise<Admission | undefined> {
  const stores = new Map<NodeId, string>([[needs.self, needs.introduction.store]]);
  const isOther = (node: NodeId): boolean => node !== needs.self;
  const voters = needs.voters.filter(isOther);
  const learners = needs.learners.filter(isOther);
  /** Who could not say that there is no cluster. */
  let knowing: readonly NodeId[] = learners;
  for (let round = 1; !needs.isStopped(); round++) {
    const missing = voters.filter((voter) => !stores.has(voter));
    if (missing.length === 0 && knowing.length === 0 && needs.mayFound) return { kind: 'found', stores };
    const asked = [...missing, ...learners];
    const answers = await Promise.all(asked.map((node) => ask(needs, node, needs.introduction)));
    let joined: Admission | undefined;
    let known: { readonly to: NodeId; readonly store: string } | undefined;
    for (const [i, answer] of answers.entries()) {
      const node = asked[i];
      if (node === undefined || answer === undefined) continue;
      const store = judge(answer, node, needs);
      if (answer.kind === 'member') joined = { kind: 'join', founders: answer.founders };
      if (answer.kind === 'member' && answer.store !== '') known = { to: node, store: answer.store };
      if (store !== undefined && voters.includes(node)) stores.set(node, store);
    }
    // Only now: one who remembers that this member had a folder outweighs all who do not.
    if (known !== undefined) joined = await readmission(needs, known.to, known.store);
    if (joined !== undefined) return joined;
    knowing = asked.filter((_, i) => (answers[i]?.kind ?? 'new') !== 'new');
    if (round % COMPLAIN_AFTER_ROUNDS === 0) {
      needs.logger.info(
        { waitingFor: missing, knowACluster: knowing },
        'an empty data folder: waiting for the other nodes, to create the cluster or to join it',
      );
    }
    await new Promise<void>((resolve) => needs.clock.after(ASK_AGAIN_MS, resolve));
  }
  return undefined;
}

/** Asks for a place with the present folder instead of the one that the cluster knows. Undefined: it is to be tried again. */
async function readmission(needs: FoundingNeeds, voter: NodeId, replaces: string): Promise<Admission | undefined> {
  const { introduction, logger } = needs;
  logger.warn(
    { lost: replaces, store: introduction.store },
    'the cluster knows another data folder of this node: it takes part with this one from now on, and catches up with the other owners',
  );
  const answer = await ask(needs, voter, { ...introduction, replaces });
  return answer?.kind === 'member' && answer.store === '' ? { kind: 'join', founders: answer.founders } : undefined;
}

/** Undefined when there is no answer, or none that this release understands. */
function ask(
  { calls, logger }: FoundingNeeds,
  voter: NodeId,
  introduction: Introduction,
): Promise<IntroductionAnswer | undefined> {
  return new Promise((resolve) => {
    calls.call(voter, METHOD.introduce, pack(introduction), ASK_TIMEOUT_MS, (outcome) => {
      const answer = outcome.kind === 'reply' ? parseAnswer(outcome.body) : undefined;
      if (outcome.kind === 'reply' && answer === undefined)
        logger.warn({ peer: voter }, 'an introduction was answered strangely');
      resolve(answer);
    });
  });
}

/** The node's folder if it is new too, and a cluster is to be made with it. */
function judge(answer: IntroductionAnswer, peer: NodeId, needs: FoundingNeeds): string | undefined {
  const { self, introduction, mayFound } = needs;
  if (answer.kind === 'stranger') {
    throw new FatalError(`${self} is not a member of the cluster that ${peer} belongs to`, 2);
  }
  if (answer.kind !== 'new') return undefined;
  if (answer.file !== introduction.file) {
    throw new FatalError(
      `cluster.yaml differs from that of ${peer}: cluster, partitions, n and the list of nodes must be the same on all nodes when the cluster is created`,
      2,
    );
  }
  // Who knows another folder of this node founds the cluster with that one: it will readmit this one.
  return mayFound && (answer.known ?? introduction.store) === introduction.store ? answer.store : undefined;
}

export interface IntroductionHandlerNeeds {
  readonly introduction: Introduction;
  readonly currentState: () => ClusterState | undefined;
  /** Brings this node's state up to date with the metadata group; false when there is no leader. */
  readonly refresh: () => Promise<boolean>;
  /** Which folders other nodes have introduced themselves with, or were known to when the cluster was founded. */
  readonly introduced: Map<NodeId, string>;
  readonly founders: () => readonly Founder[];
  /** This node is part of a cluster, but does not know its state yet. */
  readonly isUnsure: () => boolean;
  /** Rejects with no-leader. */
  readonly readmit: (member: NodeId, replaces: string, store: string) => Promise<void>;
}

/** Tells another node whether its empty folder is a new one. */
export function introductionHandler(needs: IntroductionHandlerNeeds): RequestHandler {
  return async (body, request) => {
    const theirs = parseIntroduction(body);
    request.reply(pack(await answerTo(request.from, theirs, needs)));
  };
}

async function answerTo(
  from: NodeId,
  theirs: Introduction,
  needs: IntroductionHandlerNeeds,
): Promise<IntroductionAnswer> {
  if (needs.isUnsure()) return { kind: 'unsure' };
  if (needs.currentState() === undefined) {
    const known = needs.introduced.get(from);
    if (known === undefined) needs.introduced.set(from, theirs.store);
    return { kind: 'new', ...needs.introduction, known };
  }
  if (theirs.replaces !== undefined && !(await isReadmitted(from, theirs, needs))) return { kind: 'unsure' };
  if (!(await needs.refresh())) return { kind: 'unsure' };
  const own = foundersOf(needs).find(({ id }) => id === from);
  if (own === undefined) return { kind: 'stranger' };
  if (own.store === '' && !(await isReadmitted(from, { ...theirs, replaces: '' }, needs))) return { kind: 'unsure' };
  const founders = foundersOf(needs);
  const store = founders.find(({ id }) => id === from)?.store ?? '';
  return { kind: 'member', store: store === theirs.store ? '' : store, founders };
}

/** A member that the state knows no folder of may still be a founder that voted before it was lost. Whoever joins is told too. */
function foundersOf(needs: IntroductionHandlerNeeds): readonly Founder[] {
  const founding = new Map(needs.founders().map(({ id, store }) => [id, store]));
  const members = needs.currentState()?.members ?? [];
  return members.map(({ id, number, raft, store }) => {
    return { id, number, raft, store: store || (founding.get(id) ?? '') };
  });
}

async function isReadmitted(from: NodeId, theirs: Introduction, needs: IntroductionHandlerNeeds): Promise<boolean> {
  try {
    await needs.readmit(from, theirs.replaces ?? '', theirs.store);
    return true;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}

const introduction = z.object({ store: z.string(), file: z.string(), replaces: z.string().optional() });
const answer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('new'), ...introduction.shape, known: z.string().optional() }),
  z.object({
    kind: z.literal('member'),
    store: z.string(),
    founders: z.array(z.object({ id: z.string(), number: z.int().min(1), raft: z.int().min(1), store: z.string() })),
  }),
  z.object({ kind: z.literal('stranger') }),
  z.object({ kind: z.literal('unsure') }),
]);

function parseIntroduction(body: ByteReader): Introduction {
  const parsed = introduction.safeParse(unpacked(body));
  if (!parsed.success) throw new DecodeError('not an introduction');
  return parsed.data;
}

function parseAnswer(body: ByteReader): IntroductionAnswer | undefined {
  const parsed = answer.safeParse(unpacked(body));
  return parsed.success ? (parsed.data as unknown as IntroductionAnswer) : undefined;
}

function unpacked(body: ByteReader): unknown {
  try {
    return unpack(body.rest());
  } catch {
    return undefined;
  }
}
