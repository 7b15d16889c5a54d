import type { LogIndex } from '../ids.ts';
import { invariant } from '../invariant.ts';
import type { Progress } from './progress.ts';
import { reachedByQuorum, type VoteResult, voteOfQuorum } from './quorum.ts';
import type { Configuration, RaftId } from './types.ts';

/** Who takes part, what each has voted, and, at a leader, how far each has come. Only who takes part is ever counted. */
export class Tracker {
  private current: Configuration;
  /** Every voter and learner once, in ascending order. */
  private everyone: readonly RaftId[];
  private readonly votes = new Map<RaftId, boolean>();
  private readonly progresses = new Map<RaftId, Progress>();

  constructor(configuration: Configuration) {
    assertWellFormed(configuration);
    this.current = configuration;
    this.everyone = membersOf(configuration);
  }

  get configuration(): Configuration {
    return this.current;
  }

  get members(): readonly RaftId[] {
    return this.everyone;
  }

  /** Voters of either set once, in ascending order. */
  get voters(): readonly RaftId[] {
    return this.members.filter((id) => this.isVoter(id));
  }

  isMember(id: RaftId): boolean {
    return this.isVoter(id) || this.current.learners.includes(id);
  }

  isVoter(id: RaftId): boolean {
    return this.current.voters.includes(id) || this.current.outgoing.includes(id);
  }

  /** Takes another configuration, as a snapshot or an applied change brings it. A leader follows newcomers with what `create` gives. */
  reconfigure(configuration: Configuration, create?: (id: RaftId) => Progress): void {
    assertWellFormed(configuration);
    this.current = configuration;
    this.everyone = membersOf(configuration);
    for (const id of [...this.progresses.keys()]) if (!this.isMember(id)) this.progresses.delete(id);
    if (create === undefined || this.progresses.size === 0) return;
    for (const id of this.everyone) if (!this.progresses.has(id)) this.progresses.set(id, create(id));
  }

  resetVotes(): void {
    this.votes.clear();
  }

  /** The first answer counts: a node does not change its mind within a term. */
  recordVote(id: RaftId, granted: boolean): void {
    if (!this.votes.has(id)) this.votes.set(id, granted);
  }

  tally(): VoteResult {
    return voteOfQuorum(this.current, (id) => this.votes.get(id));
  }

  /** Starts to follow everyone anew, with what `create` gives. */
  resetProgress(create: (id: RaftId) => Progress): void {
    this.progresses.clear();
    for (const id of this.members) this.progresses.set(id, create(id));
  }

  stopProgress(): void {
    this.progresses.clear();
  }

  progress(id: RaftId): Progress | undefined {
    return this.progresses.get(id);
  }

  /** What a quorum has on disk. Infinity without voters. */
  matchedByQuorum(): number {
    return reachedByQuorum(this.current, (id) => this.matchOf(id));
  }

  /** An election time-out has passed: whether a quorum was heard from meanwhile, the leader itself counted. Then asks anew. */
  takeQuorumActivity(self: RaftId): boolean {
    const result = voteOfQuorum(this.current, (id) => id === self || this.progresses.get(id)?.recentlyActive === true);
    for (const progress of this.progresses.values()) {
      progress.recentlyActive = false;
      progress.intervalPassed();
    }
    return result === 'won';
  }

  private matchOf(id: RaftId): LogIndex | 0 {
    return this.progresses.get(id)?.match ?? 0;
  }
}

function membersOf({ voters, outgoing, learners }: Configuration): readonly RaftId[] {
  return [...new Set([...voters, ...outgoing, ...learners])].sort((a, b) => a - b);
}

function assertWellFormed({ voters, outgoing, learners }: Configuration): void {
  for (const ids of [voters, outgoing, learners]) {
    invariant(new Set(ids).size === ids.length, 'a configuration names nobody twice');
  }
  const votes = (id: RaftId): boolean => voters.includes(id) || outgoing.includes(id);
  invariant(!learners.some(votes), 'nobody is voter and learner at once');
}
