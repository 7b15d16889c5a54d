/**
 * The order in which `count` questions are asked in a round: in a balanced Latin square (Williams, "Experimental designs balanced for the
 * estimation of residual effects of treatments", 1949), so that what one question leaves behind (checkpoints, compactions, a hot
 * machine) is not always paid for by the same next one.
 *
 * Law: in `count` rounds, twice as many where it is odd, each question stands at each place equally often, and comes right after each other
 * one equally often. Rounds count from 0.
 */
export function orderOf(count: number, round: number): readonly number[] {
  const row = Array.from({ length: count }, (_, place) => (zigzag(place, count) + round) % count);
  const isMirrored = count % 2 === 1 && Math.floor(round / count) % 2 === 1;
  return isMirrored ? row.reverse() : row;
}

/** 0, 1, count - 1, 2, count - 2, ... */
const zigzag = (place: number, count: number): number => (place % 2 === 1 ? (place + 1) / 2 : count - place / 2);
