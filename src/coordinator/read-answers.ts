import type { Container } from '../core/causality/container.ts';
import type { DotSet } from '../core/causality/dot-set.ts';
import { MergedAnswers } from '../core/causality/merged-answers.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { NodeId } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import type { KeyAddress, ReplicateRequest } from '../protocol.ts';

interface Answer {
  readonly member: Member;
  readonly isOwner: boolean;
  readonly ms: number;
}

/** What those who were asked answered one read with, and which owners are behind. */
export class ReadAnswers {
  readonly merged = new MergedAnswers();
  /** In the order of the merged answers. */
  private readonly answers: Answer[] = [];
  /** Owners that have answered. */
  owners = 0;

  add(answer: Answer, container: Container, digest: boolean, deletions: DotSet): void {
    this.merged.add(container, digest, deletions);
    this.answers.push(answer);
    if (answer.isOwner) this.owners++;
  }

  /** Since the read began, in the order in which they came. */
  get timings(): readonly { readonly node: NodeId; readonly ms: number }[] {
    return this.answers.map(({ member, ms }) => ({ node: member.id, ms }));
  }

  /** The numbers of their answers. A fallback is never behind: it has no copy of the key, only what was kept for others. */
  ownersBehind(): readonly number[] {
    return this.merged.behind().filter((index) => this.answers[index]?.isOwner === true);
  }

  memberOf(index: number): Member {
    const answer = this.answers[index];
    invariant(answer !== undefined, 'answers are of those that were asked');
    return answer.member;
  }

  /** Whose answer that is. From now on it counts as up to date. */
  bringing(index: number): NodeId {
    this.merged.brought(index);
    return this.memberOf(index).id;
  }

  /** What brings an owner up to date. */
  update({ epoch, partition, key }: KeyAddress): ReplicateRequest {
    const { container, named, isWhole } = this.merged;
    invariant(isWhole, 'only what is known is sent on');
    return { epoch, partition, key, dots: named, container };
  }
}
