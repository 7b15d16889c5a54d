import { type Container, EMPTY_CONTAINER, merge, sameSiblings } from './container.ts';
import { type Dot, sameDot } from './dot.ts';
import { hasDot, union } from './dot-set.ts';

/**
 * What the filled containers that several replicas answered one read with amount to, and who of them is behind.
 *
 * Laws, with `m` = {@link MergedAnswers.container}, `D` = {@link MergedAnswers.named}, for answers of one key:
 * 1. `m` is the merge of all answers.
 * 2. An answer is *behind* iff its siblings are not those of `m`, or its context lacks a dot of `D`: the dots that some answer had as a
 *    sibling, which are the dots known to be this key's.
 * 3. Once `m` was merged into the replicas that are behind, none is.
 *
 * Why contexts are not compared as a whole: a filled context has the dots of every key of the partition, so two replicas differ in it
 * whenever a write of any key is under way. Each read would then repair, and a repair of that kind tells nothing about its key.
 *
 * The dots of `D` may be named to a replica that merges `m`: `m` shows their siblings or covers them, so their effect is
 * incorporated there (invariant 3).
 */
export class MergedAnswers {
  private readonly held: Container[] = [];
  private dots: readonly Dot[] = NO_DOTS;
  private merged = EMPTY_CONTAINER;
  private differ = false;

  get container(): Container {
    return this.merged;
  }

  get named(): readonly Dot[] {
    return this.dots;
  }

  /** Answers count from 0. In the calm case, equal answers, nothing is built. */
  add(answer: Container): void {
    this.merged = this.held.length === 0 ? answer : this.joined(answer);
    this.held.push(answer);
  }

  /** The numbers of the answers that are behind. */
  behind(): readonly number[] {
    return this.differ ? [...this.held.keys()].filter((index) => this.isBehind(index)) : NOBODY;
  }

  /** The replica of that answer has been sent all that was merged so far. */
  brought(index: number): void {
    const before = this.held[index];
    if (before !== undefined) this.held[index] = merge(before, this.merged);
  }

  private joined(answer: Container): Container {
    const { merged } = this;
    if (!sameSiblings(merged, answer)) {
      this.differ = true;
      this.name(merged);
      this.name(answer);
      return merge(merged, answer);
    }
    // Siblings that both have stay: only the context can grow.
    const context = union(merged.context, answer.context);
    return context === merged.context ? merged : { siblings: merged.siblings, context };
  }

  private name({ siblings }: Container): void {
    const added = siblings.map(({ dot }) => dot).filter((dot) => !this.dots.some((known) => sameDot(known, dot)));
    this.dots = [...this.dots, ...added];
  }

  private isBehind(index: number): boolean {
    const held = this.held[index];
    if (held === undefined) return false;
    return !sameSiblings(held, this.merged) || this.dots.some((dot) => !hasDot(held.context, dot));
  }
}

const NO_DOTS: readonly Dot[] = [];
const NOBODY: readonly number[] = [];
