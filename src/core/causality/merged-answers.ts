import { type Container, EMPTY_CONTAINER, merge, type Sibling, sameSiblings, versionOf } from './container.ts';
import { type Dot, sameDot } from './dot.ts';
import { type DotSet, dotsIn, EMPTY_DOTS, hasDot, union } from './dot-set.ts';

/** Stands for the version of a sibling of which an answer told the dot alone. Known by its identity: encoded versions may not meet it. */
export const UNKNOWN_VERSION = new Uint8Array(0);

/**
 * What the filled containers that several replicas answered one read with amount to, and who of them is behind.
 *
 * Laws, with `m` = {@link MergedAnswers.container}, `D` = {@link MergedAnswers.named}, for answers of one key:
 * 1. `m` is the merge of all answers.
 * 2. An answer is *behind* iff its siblings are not those of `m`, or its context lacks a dot of `D`: the dots known to be this key's,
 *    which are those that some answer had as a sibling, where these differ, and the deletions that some answer told of.
 * 3. Once `m` was merged into the replicas that are behind, none is.
 *
 * 4. A sibling of `m` has the version that some answer told; it is unknown when none did, and then {@link MergedAnswers.holderOfUnknown}
 *    is an answer with that sibling. Once that replica's later, full answer took its place, the sibling is known or is no more.
 *
 * Why contexts are not compared as a whole: a filled context has the dots of every key of the partition, so two replicas differ in it
 * whenever a write of any key is under way. Each read would then repair, and a repair of that kind tells nothing about its key.
 *
 * Why deletions are told: that something is gone may be on one replica alone, and to the next it was never there. Both show the same,
 * and a third one, which has it still, would show it again (H11).
 *
 * The dots of `D` may be named to a replica that merges `m`: `m` shows their siblings or covers them, so their effect is
 * incorporated there (invariant 3).
 */
export class MergedAnswers {
  private readonly held: Container[] = [];
  private dots: readonly Dot[] = NO_DOTS;
  private merged = EMPTY_CONTAINER;
  private hasDigests = false;

  get container(): Container {
    return this.merged;
  }

  get named(): readonly Dot[] {
    return this.dots;
  }

  /** Answers count from 0. In the calm case, equal answers, nothing is built. `digest`: all its versions are unknown. */
  add(answer: Container, digest = false, deletions: DotSet = EMPTY_DOTS): void {
    if (digest) this.hasDigests = true;
    this.merged = this.held.length === 0 ? answer : this.joined(answer);
    this.held.push(answer);
    if (deletions.length > 0) this.name([...dotsIn(deletions)]);
  }

  /** The numbers of the answers that are behind. */
  behind(): readonly number[] {
    return this.dots.length > 0 ? [...this.held.keys()].filter((index) => this.isBehind(index)) : NOBODY;
  }

  /** The number of an answer whose replica can tell a version that is not known; none of `except`. */
  holderOfUnknown(except: readonly number[] = NOBODY): number | undefined {
    const unknown = this.hasDigests ? this.unknown() : undefined;
    if (unknown === undefined) return undefined;
    const holder = this.held.findIndex(
      (held, index) => !except.includes(index) && versionOf(held, unknown) !== undefined,
    );
    return holder < 0 ? undefined : holder;
  }

  /** Whether {@link container} may be shown and sent on: every version in it is known. */
  get isWhole(): boolean {
    return !this.hasDigests || this.unknown() === undefined;
  }

  /** What the replica of that answer holds by now, in full. */
  replace(index: number, answer: Container): void {
    this.merged = this.joined(answer);
    this.held[index] = answer;
  }

  /** The replica of that answer has been sent all that was merged so far. */
  brought(index: number): void {
    const before = this.held[index];
    if (before !== undefined) this.held[index] = merge(before, this.merged);
  }

  private joined(answer: Container): Container {
    const { merged } = this;
    if (!sameSiblings(merged, answer)) {
      this.name(dotsOfSiblings(merged));
      this.name(dotsOfSiblings(answer));
      return this.withVersionsOf(answer, merge(merged, answer));
    }
    // Siblings that both have stay: only the context can grow.
    const context = union(merged.context, answer.context);
    return this.withVersionsOf(answer, context === merged.context ? merged : { siblings: merged.siblings, context });
  }

  private withVersionsOf(answer: Container, merged: Container): Container {
    if (!this.hasDigests || merged.siblings.every(isKnown)) return merged;
    const siblings = merged.siblings.map((sibling) =>
      isKnown(sibling) ? sibling : { dot: sibling.dot, version: versionOf(answer, sibling.dot) ?? UNKNOWN_VERSION },
    );
    return { siblings, context: merged.context };
  }

  private unknown(): Dot | undefined {
    return this.merged.siblings.find((sibling) => !isKnown(sibling))?.dot;
  }

  private name(dots: readonly Dot[]): void {
    const added = dots.filter((dot) => !this.dots.some((known) => sameDot(known, dot)));
    this.dots = [...this.dots, ...added];
  }

  private isBehind(index: number): boolean {
    const held = this.held[index];
    if (held === undefined) return false;
    return !sameSiblings(held, this.merged) || this.dots.some((dot) => !hasDot(held.context, dot));
  }
}

const dotsOfSiblings = ({ siblings }: Container): readonly Dot[] => siblings.map(({ dot }) => dot);

const isKnown = ({ version }: Sibling): boolean => version !== UNKNOWN_VERSION;

const NO_DOTS: readonly Dot[] = [];
const NOBODY: readonly number[] = [];
