/** The whole cluster on virtual time: see test/simulator. In processes of its own, as from the command line. */
import { randomInt } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { Program } from './child-process.ts';
import { Pool } from './simulator/pool.ts';
import { NAMED_RUNS } from './simulator/seeds.ts';

const RUNS = 300;
const LIMIT_MS = 600_000;
const first = Number(process.env.QUORATE_SEED ?? randomInt(2 ** 31));
const pool = new Pool(1);

afterAll(() => pool.close());

describe('a simulated cluster', () => {
  it(
    `keeps its promises in ${RUNS} runs from seed ${first} on (QUORATE_SEED), and does the same when run again`,
    async () => {
      const args = ['--seed', String(first), '--runs', String(RUNS), '--repeat', '10'];
      const { code, stdout, stderr } = await new Program('test/simulator/main.js', args).ended();
      // The command says what happened, and how to see it again.
      if (code !== 0) throw new Error(`simulate ${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`);
      expect(stdout.toString()).toContain(`${RUNS} seeds, ${RUNS / 10} run twice: no violation`);
    },
    LIMIT_MS,
  );

  for (const { name, seed, plan } of NAMED_RUNS) {
    const job = { seed, ...(plan === undefined ? {} : { plan }), twice: true };
    it(
      `${name} (seed ${seed})`,
      async () => expect(await pool.run(job)).toMatchObject({ violations: [], wasRepeated: true }),
      LIMIT_MS,
    );
  }
});
