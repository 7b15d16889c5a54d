import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Program } from '../child-process.ts';
import { parseOptions, type SimulateOptions } from './options.ts';
import { drawPlan } from './plan.ts';
import { planText } from './plan-file.ts';
import { replayCommand } from './report.ts';
import { missingStates, REQUIRED_FROM_RUNS, REQUIRED_STATES } from './required-states.ts';
import { Tally } from './tally.ts';
import { median } from './totals.ts';

async function simulate(...args: string[]) {
  const { code, stdout, stderr } = await new Program('test/simulator/main.js', args).ended();
  return { code, stderr, lines: stdout.toString().trimEnd().split('\n') };
}

function options(...args: string[]): SimulateOptions {
  const parsed = parseOptions(args, 2, false);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

describe('the options of simulate', () => {
  it('have defaults', () => {
    expect(options()).toEqual({
      ...{ seed: undefined, runs: 1000, minutes: undefined, trace: false, repeat: 100, plan: undefined, jobs: 2 },
    });
    expect(options('--minutes', '1.5')).toMatchObject({ runs: undefined, minutes: 1.5 });
    expect(options('--trace')).toMatchObject({ runs: 1, trace: true });
    expect(parseOptions([], 2, true)).toMatchObject({ repeat: 1 });
  });

  it.each([
    [['--seed', '-1']],
    [['--seed', '4294967296']],
    [['--seed', 'x']],
    [['--seed=']],
    [['--runs', '0']],
    [['--runs', '1.5']],
    [['--minutes', '0']],
    [['--jobs', '0']],
    [['--repeat', 'all']],
    [['--trace', '--runs', '2']],
    [['--plan', 'a.json', '--seed', '1']],
    [['--unknown']],
    [['17']],
  ])('are refused when they make no sense: %j', (args) => {
    expect(typeof parseOptions(args, 2, false)).toBe('string');
  });

  it('that make no sense end the command with 2, with what is wrong and how it is used', async () => {
    const { code, stderr } = await simulate('--runs', 'many');
    expect(code).toBe(2);
    expect(stderr).toMatch(/--runs must be a whole number .*"many"\nusage:/);
  });
});

describe('the command', () => {
  it('runs a plan as it runs its seed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-plan-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'plan.json');
    writeFileSync(file, planText(drawPlan(18)));
    const [seed, plan] = await Promise.all([simulate('--seed', '18', '--trace'), simulate('--plan', file)]);
    expect([seed.code, plan.code]).toEqual([0, 0]);
    expect(seed.lines.some((line) => line.includes('request write'))).toBe(true);
    expect(seed.lines.at(-1)).toMatch(/^no violation: hash [0-9a-f]{8}, /);
    expect(plan.lines.at(-1)).toBe(seed.lines.at(-1));
  });

  it('says when a plan cannot be read', async () => {
    expect(await simulate('--plan', 'no-such-file.json')).toMatchObject({ code: 2 });
  });

  it('tells which command runs a seed again, and that command is understood', () => {
    const [, args = ''] = replayCommand(5).split(' -- ');
    expect(options(...args.split(' '))).toMatchObject({ seed: 5, runs: 1, trace: true });
  });
});

describe('a long run', () => {
  it('fails for what it never reached', () => {
    const [first = '', ...others] = REQUIRED_STATES;
    const tally = new Tally();
    for (const state of others) tally.note(state);
    expect(missingStates({ runs: REQUIRED_FROM_RUNS, tally })).toEqual([first]);
    expect(missingStates({ runs: REQUIRED_FROM_RUNS - 1, tally })).toEqual([]);
  });

  it('is told of by medians', () => {
    expect([median([]), median([3]), median([1, 9, 2]), median([4, 1, 2, 9])]).toEqual([0, 3, 2, 3]);
  });
});
