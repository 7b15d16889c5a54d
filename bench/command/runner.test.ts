import { describe, expect, it } from 'vitest';
import { GET } from '../load/mix.ts';
import { type Question, Runner } from './runner.ts';
import { wayOf } from './target.ts';
import { aTestTarget } from './test-target.ts';

const options = { seconds: 0.05, warmupS: 0, repetitions: 3, generator: 'sessions', progress: () => {} } as const;

function question(workload: string, target = aTestTarget()): Question {
  const { reads, writes } = target.store;
  return {
    section: 'main',
    target,
    workload,
    mix: GET,
    read: wayOf(reads, 'quorum'),
    write: wayOf(writes, 'quorum'),
    loop: { kind: 'closed' },
    connections: 1,
    keys: 10,
    valueBytes: 1,
    distribution: 'uniform',
  };
}

/** A store that takes its time: answers that come at once leave timers none. */
const calm = () => aTestTarget('calm', () => new Promise((resolve) => setTimeout(() => resolve(undefined), 1)));

describe('questions', () => {
  it('are asked in every round, never twice after the same one, and answered in their own order', async () => {
    const asked: string[] = [];
    const names = ['a', 'b', 'c', 'd'];
    const progress = (text: string): void => {
      const [, which, name] = /^main \((.*)\): calm, (.): warm-up$/.exec(text) ?? [];
      if (name !== undefined) asked.push(`${which?.slice(0, 7)} ${name}`);
    };
    const target = calm();
    const runner = new Runner({ ...options, progress });
    const series = await runner.ask(names.map((name) => question(name, target)));
    expect(series.map(({ workload, repetitions }) => [workload, repetitions.length])).toEqual(
      names.map((name) => [name, 3]),
    );
    expect(runner.series).toEqual(series);
    const rounds = [1, 2, 3].map((round) =>
      asked.filter((one) => one.startsWith(`round ${round}`)).map((one) => one.slice(-1)),
    );
    for (const round of rounds) expect([...round].sort()).toEqual(names);
    const pairs = rounds.flatMap((round) => round.slice(1).map((name, i) => `${round[i]}${name}`));
    expect(new Set(pairs).size).toBe(9);
  });

  it('are kept as far as they were answered when one cannot be asked', async () => {
    const [fine, gone] = [calm(), aTestTarget('gone')];
    const runner = new Runner(options);
    const unreachable = { ...gone, addresses: () => [] };
    await expect(runner.ask([question('a', fine), question('b', unreachable)])).rejects.toThrow('cannot connect');
    expect(runner.series.map(({ workload, repetitions }) => [workload, repetitions.length])).toEqual([['a', 1]]);
  });
});
