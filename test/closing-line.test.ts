import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { closingLine } from './closing-line.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
// Within node_modules, so that the files written here find vitest.
const folder = mkdtempSync(join(ROOT, 'node_modules', '.closing-line-'));
afterAll(() => rmSync(folder, { recursive: true }));

function lastLine(output: string): string | undefined {
  return output.trimEnd().split('\n').at(-1);
}

/** Runs vitest with our reporter on test files of these contents. */
function runTests(name: string, files: readonly string[]) {
  const root = join(folder, name);
  mkdirSync(root);
  files.forEach((text, index) => {
    writeFileSync(join(root, `${index}.test.js`), `import { describe, expect, it, beforeAll } from 'vitest';\n${text}`);
  });
  const reporter = pathToFileURL(join(ROOT, 'dist/test/closing-line.js')).href;
  const config = `import { ClosingLine } from '${reporter}';
    export default { test: { include: ['*.test.js'], exclude: [], maxWorkers: 1, reporters: ['default', new ClosingLine()] } };`;
  writeFileSync(join(root, 'vitest.config.js'), config);
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  return spawnSync(process.execPath, [vitest, 'run', '--root', root], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
}

describe('the closing line', () => {
  it('names what was skipped only where something was', () => {
    expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
    expect(closingLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
  });

  it('is the last line of a run, after the summary', () => {
    const { stdout, status } = runTests('sound', ["it('a', () => {}); it.skip('b', () => {});"]);
    expect({ status, last: lastLine(stdout) }).toEqual({ status: 0, last: '1 passed, 0 failed, 1 skipped' });
    expect(stdout).toMatch(/Tests +1 passed/);
  });

  it('counts failed tests, files that do not load, broken hooks and errors outside of tests', () => {
    const { stdout, status } = runTests('broken', [
      "it('a', () => {}); it('b', () => expect(1).toBe(2));",
      "throw new Error('no tests here');",
      "describe('s', () => { beforeAll(() => { throw new Error('hook'); }); it('c', () => {}); });",
      "it('d', async () => { void Promise.reject(new Error('nobody waits')); await new Promise(setImmediate); });",
    ]);
    expect({ status, last: lastLine(stdout) }).toEqual({ status: 1, last: '2 passed, 4 failed, 1 skipped' });
  });
});

describe('.ci/run', () => {
  /** Runs it with an `npm` whose `ci` and `test` end as told. */
  function ciRun(ci: number, test: number, output: string) {
    const bin = mkdtempSync(join(folder, 'bin-'));
    const script = `#!/usr/bin/env bash\nif [ "$1" = ci ]; then exit ${ci}; fi\nprintf '%b' "${output}"\nexit ${test}\n`;
    writeFileSync(join(bin, 'npm'), script);
    chmodSync(join(bin, 'npm'), 0o755);
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
    const { status, stdout } = spawnSync(join(ROOT, '.ci/run'), { encoding: 'utf8', env });
    return { status, last: lastLine(stdout) };
  }

  it('ends with the tally and succeeds when everything passed', () => {
    const output = 'Tests 3 passed\\n3 passed, 0 failed, 1 skipped\\nnpm notice\\n';
    expect(ciRun(0, 0, output)).toEqual({ status: 0, last: '3 passed, 0 failed, 1 skipped' });
  });

  it.each([
    ['tests fail', 0, 1, '3 passed, 1 failed\\n'],
    ['the runner fails though no test did', 0, 1, '3 passed, 0 failed\\n'],
    ['the runner hides a failure', 0, 0, '3 passed, 1 failed\\n'],
    ['there were no tests', 0, 0, '0 passed, 0 failed\\n'],
    ['the tests did not run to their end', 0, 0, 'all well\\n'],
    ['the installation fails', 1, 0, '3 passed, 0 failed\\n'],
  ])('fails when %s', (_, ci, test, output) => {
    expect(ciRun(ci, test, output).status).not.toBe(0);
  });
});
