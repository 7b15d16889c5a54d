import { ByteWriter } from '../core/bytes.ts';
import { actorGrant } from '../core/causality/dot.ts';
import { restrictedTo } from '../core/causality/dot-set.ts';
import type { NodeId, Partition } from '../core/ids.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Standing } from '../membership/standing.ts';
import type { Store } from '../ports.ts';
import type { EndedActors } from '../replica/ended-actors.ts';
import type { HintStore } from '../replica/hint-store.ts';
import { hintedDots } from '../replica/hinted-dots.ts';
import type { RequestHandler } from '../rpc/incoming.ts';
import {
  type RetirementAnswer,
  type RetirementRequest,
  readRetirementRequest,
  writeRetirementAnswer,
} from './retirement-messages.ts';

export interface RetirementHandlerNeeds {
  readonly self: NodeId;
  readonly store: Store;
  readonly hints: HintStore;
  readonly ended: EndedActors;
  readonly standing: Standing;
  readonly currentView: () => ClusterView | undefined;
  /** Whether this node's replica of the partition has all that it ought to have: not while it is catching up, or a record lacks something. */
  readonly mayAgree: (partition: Partition) => boolean;
}

/** With more hints than that, or larger ones, they are not looked through: they are on their way, and the next question comes soon. */
const HINTS_MAX = 1000;
/** They are read in one step, values and all. */
const HINT_BYTES_MAX = 8 << 20;

/** Tells what this node holds of ended actors, having promised first if that was asked for. */
export function retirementHandler(needs: RetirementHandlerNeeds): RequestHandler {
  return async (body, request) => {
    const answer = await answerRetirement(needs, readRetirementRequest(body));
    const out = new ByteWriter();
    writeRetirementAnswer(out, answer);
    request.reply(out.view());
  };
}

/** What is told is the state of one moment, after the promise has begun to hold; it is told once both are flushed (rule C3). */
export async function answerRetirement(
  needs: RetirementHandlerNeeds,
  request: RetirementRequest,
): Promise<RetirementAnswer> {
  const { self, store, hints, ended, standing } = needs;
  const view = needs.currentView();
  if (view === undefined) return refused('the cluster state is not known yet');
  const { member, floor, entries } = request;
  const objection = objectionTo(needs, view, request);
  if (objection !== undefined || standing.actor === undefined) return refused(objection ?? 'no grant yet');
  const grant = actorGrant(standing.actor);
  if (entries !== undefined) ended.promise({ member, floor, entries });
  const owned = view
    .partitionsOf(self)
    .map((partition) => [partition, restrictedTo(store.clock(partition), member, floor)] as const);
  const kept = hintedDots(hints, member, floor);
  // In the end it speaks without those that are damaged: their writes reach nobody, or are refused ({@link EndedActors}).
  if (hints.damaged.mayBeReadLater) return refused('hints that cannot be read now');
  await store.durable(store.lastSequence, 'flush');
  const held = owned.filter(([, dots]) => dots.length > 0);
  return { kind: 'told', epoch: view.epoch, grant, owned: new Map(held), kept };
}

/** Why this node cannot speak of these actors now. */
function objectionTo(
  { self, hints, standing, mayAgree }: RetirementHandlerNeeds,
  view: ClusterView,
  { member, floor }: RetirementRequest,
): string | undefined {
  const own = view.member(self);
  if (standing.actor === undefined || own?.grant !== actorGrant(standing.actor)) return 'no grant that is the latest';
  const asked = view.state.members.find(({ number }) => number === member);
  if (asked === undefined || asked.grant <= floor) return `member ${member} has not started again, as far as is known`;
  if ((view.state.retirements.get(member)?.floor ?? 0) >= floor) return 'these actors are retired already';
  if (hints.count > HINTS_MAX || hints.bytes > HINT_BYTES_MAX)
    return `${hints.count} hints of ${hints.bytes} bytes to be delivered first`;
  return view.partitionsOf(self).every(mayAgree) ? undefined : 'catching up, or records that lack something';
}

const refused = (reason: string): RetirementAnswer => ({ kind: 'refused', reason });
