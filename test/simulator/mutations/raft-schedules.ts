import { type ChaosStep, RaftChaos } from '../../raft/raft-chaos.ts';
import { Dice } from '../chance.ts';
import type { Violation } from '../simulation.ts';

/** What can happen, as `RaftChaos` numbers it, and how often it usually does. */
const HAPPENINGS: readonly (readonly [choice: number, weight: number])[] = [
  [0, 430], // a message arrives
  [430, 290], // a step of a Ready
  [720, 80], // a tick
  [800, 60], // a proposal
  [860, 30], // a read
  [890, 20], // a message twice
  [910, 20], // a message lost
  [930, 6], // a crash
  [936, 20], // a start
  [956, 8], // a snapshot
  [964, 4], // a split
  [968, 4], // its end
  [972, 13], // a calm while
];

/** One random schedule of Raft machines alone: dozens take as long as one cluster, for what only many elections meet. */
export function raftSchedule(seed: number): readonly Violation[] {
  const dice = new Dice(seed);
  const chaos = new RaftChaos(dice.whole(3, 5));
  try {
    chaos.run(drawSteps(dice, seed % 2 === 0));
    chaos.heal();
    return [];
  } catch (error) {
    return [{ checker: 'raft', what: error instanceof Error ? error.message : String(error) }];
  }
}

/** Half of the schedules have ideas of their own about what happens often. */
function drawSteps(dice: Dice, isUsual: boolean): readonly ChaosStep[] {
  const weights = HAPPENINGS.map(
    ([choice, weight]) => [choice, isUsual ? weight : weight * 10 ** (2 * dice.next() - 1)] as const,
  );
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  return Array.from({ length: dice.whole(600, 1800) }, () => {
    let left = dice.next() * sum;
    const drawn = weights.find(([, weight]) => {
      left -= weight;
      return left < 0;
    });
    return { choice: drawn?.[0] ?? 0, a: dice.whole(0, 59), b: dice.whole(0, 9999) };
  });
}
