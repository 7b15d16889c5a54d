/** The rules of the house. Each is also shown a small file that breaks it: a rule that cannot fail is none. */
import { describe, expect, it } from 'vitest';
import { SETTING_PATHS } from '../src/config/config-schema.ts';
import { LIMIT_SETTINGS, TIMEOUT_SETTINGS } from '../src/config/settings.ts';
import { ERROR_CODES } from '../src/errors.ts';
import { headersIn, undocumented, wrongDefaults } from './tidy/document-rules.ts';
import { cycleFindings, floorFindings } from './tidy/import-rules.ts';
import { projectFile, typescriptFiles } from './tidy/project-files.ts';
import {
  ambientFindings,
  asynchronyFindings,
  exportFindings,
  lengthFindings,
  machineFindings,
  nameFindings,
} from './tidy/source-rules.ts';
import { blankOut, importsOf, isTest, type SourceFile } from './tidy/source-text.ts';

const all = typescriptFiles('src');
const sources = all.filter(({ path }) => !isTest(path));
const everything = [...all, ...typescriptFiles('test'), ...typescriptFiles('bench')];
const readme = projectFile('README.md').text;

const QUERY_PARAMETERS = ['r', 'w', 'pr', 'pw', 'sloppy', 'timeout', 'ttl', 'returnvalue', 'dot', 'explain'];
const STANDARD_HEADERS = ['ETag', 'If-None-Match', 'Last-Modified', 'Retry-After', 'Content-Type', 'Quorate-Meta-NAME'];

const file = (path: string, text: string): SourceFile => ({ path, text });

describe('this repository', () => {
  it('has sources to look at', () => {
    expect(sources.length).toBeGreaterThan(30);
    expect(all.length).toBeGreaterThan(sources.length);
  });

  it('imports only from lower floors, never sideways', () => {
    expect(floorFindings(sources)).toEqual([]);
  });

  it('has no import cycles', () => {
    expect(cycleFindings(sources)).toEqual([]);
  });

  it('takes time, chance and the system from ports outside the edge', () => {
    expect(ambientFindings(sources)).toEqual([]);
  });

  it('has a synchronous core', () => {
    expect(asynchronyFindings(sources)).toEqual([]);
  });

  it('has named exports only, and no barrels', () => {
    expect(exportFindings(all)).toEqual([]);
  });

  it('keeps sources within 300 lines and tests within 400', () => {
    expect(lengthFindings(everything)).toEqual([]);
  });

  it('names files in kebab case', () => {
    expect(nameFindings(everything)).toEqual([]);
  });

  it('knows nothing of the machine it was written on', () => {
    const documents = ['README.md', 'CHANGELOG.md', 'cluster.yaml', 'package.json', 'package-lock.json'].map(
      projectFile,
    );
    expect(machineFindings([...all, ...documents])).toEqual([]);
  });

  it('describes every error code in the README', () => {
    expect(undocumented(readme, 'error code', ERROR_CODES)).toEqual([]);
  });

  it('describes every setting of cluster.yaml in the README', () => {
    expect(undocumented(readme, 'setting', SETTING_PATHS)).toEqual([]);
  });

  it('names the default of every limit and time-out in the README', () => {
    expect(wrongDefaults(readme, 'limits', LIMIT_SETTINGS)).toEqual([]);
    expect(wrongDefaults(readme, 'timeouts', TIMEOUT_SETTINGS)).toEqual([]);
  });

  it('describes every query parameter in the README', () => {
    expect(undocumented(readme, 'query parameter', QUERY_PARAMETERS)).toEqual([]);
  });

  it('describes every header of the contract in the README', () => {
    const own = sources.filter(({ path }) => path.startsWith('src/http/')).flatMap(({ text }) => headersIn(text));
    expect(undocumented(readme, 'header', [...new Set([...STANDARD_HEADERS, ...own])])).toEqual([]);
  });
});

describe('the reading of code', () => {
  it('passes over comments, strings and regular expressions, and keeps every position', () => {
    const text = "a; // Date\n/* Date\n */ b(\"Date\", 'it\\'s Date', /[\"'/]Date/); c / Date / d";
    const code = blankOut(text);
    expect(code).toHaveLength(text.length);
    expect(code.match(/Date/g)).toHaveLength(1);
    expect(code.indexOf('Date')).toBe(text.indexOf('Date / d'));
  });

  it('sees the code within templates, nested ones too', () => {
    const text = '`Date $' + '{f({ a: `Date $' + '{Date}` })} Date` + Date';
    expect(blankOut(text).match(/Date/g)).toHaveLength(2);
  });

  it('survives a file that ends in the middle', () => {
    for (const text of ["'abc", '`abc${', '/* abc', '/abc', '// abc', "'abc\\"])
      expect(blankOut(text)).toHaveLength(text.length);
  });

  it('finds imports of every form, and none in strings or comments', () => {
    const text = `
      import './a.ts';
      import type { B } from "./b.ts";
      import {
        c,
      } from './c.ts';
      export { d } from './d.ts';
      export * from './e.ts';
      const f = await import('./f.ts');
      type G = import('./g.ts').G;
      // import './no.ts';
      const text = "import './no.ts'";
      export const h = 1; const from = './no.ts';`;
    expect(importsOf(text)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts', './g.ts']);
  });
});

describe('the rule of floors', () => {
  it.each([
    ['core imports nothing outside core', 'src/core/ring/a.ts', 'node:fs'],
    ['core imports nothing outside core', 'src/core/a.ts', 'zod'],
    ['contracts is above core', 'src/core/raft/a.ts', '../../ports.ts'],
    ['rpc is on the floor of storage', 'src/storage/a.ts', '../rpc/b.ts'],
    ['cli is on the floor of http', 'src/http/a.ts', '../cli/b.ts'],
    ['http is above coordinator', 'src/coordinator/a.ts', '../http/b.ts'],
    ['wiring is above cli', 'src/cli/a.ts', '../run-node.ts'],
    ['it is for tests only', 'src/storage/a.ts', './store.contract.ts'],
    ['test/a.ts is on no floor', 'src/cli/a.ts', '../../test/a.ts'],
  ])('%s', (reason, path, specifier) => {
    expect(floorFindings([file(path, `import { x } from '${specifier}';`)])).toEqual([
      `${path}: imports ${specifier}: ${reason}`,
    ]);
  });

  it('wants a floor for every area', () => {
    expect(floorFindings([file('src/extras/a.ts', '')])).toHaveLength(1);
  });

  it('lets imports point down and stay at home', () => {
    const text =
      "import '../core/ids.ts'; import './b.ts'; import type { X } from '../coordinator/api.ts'; import 'zod';";
    expect(floorFindings([file('src/http/a.ts', text)])).toEqual([]);
  });
});

describe('the rule against cycles', () => {
  it('finds one over several files, types included', () => {
    const files = [
      file('src/a/x.ts', "import type { Y } from './y.ts';"),
      file('src/a/y.ts', "import '../b/z.ts';"),
      file('src/b/z.ts', "const x = await import('../a/x.ts');"),
    ];
    expect(cycleFindings(files)).toEqual(['cycle: src/a/x.ts -> src/a/y.ts -> src/b/z.ts -> src/a/x.ts']);
  });

  it('lets two files share a third', () => {
    const shared = "import './c.ts';";
    expect(
      cycleFindings([file('src/a.ts', `${shared} import './b.ts';`), file('src/b.ts', shared), file('src/c.ts', '')]),
    ).toEqual([]);
  });
});

describe('the rule of ports', () => {
  it.each([
    'Date.now()',
    'new Date()',
    'Math.random()',
    'setTimeout(f, 1)',
    'queueMicrotask(f)',
    'process.env.X',
    'performance.now()',
    'crypto.randomUUID()',
    'AbortSignal.timeout(5)',
    'globalThis.x',
    '`$' + '{Date.now()}`',
    "import { hrtime } from 'node:process';",
  ])('refuses %s', (code) => {
    expect(ambientFindings([file('src/replica/a.ts', code)]).length).toBeGreaterThan(0);
  });

  it('says where', () => {
    expect(ambientFindings([file('src/core/a.ts', 'x;\nDate.now();')])).toEqual([
      'src/core/a.ts:2: Date outside the edge: use a port',
    ]);
  });

  it('lets the edge be, and members and fields of the same names', () => {
    expect(ambientFindings([file('src/system/a.ts', 'Date.now()'), file('src/main.ts', 'process.exit()')])).toEqual([]);
    expect(
      ambientFindings([file('src/core/a.ts', 'step.process; const x = { process: 1 }; type T = { fetch?: 1 };')]),
    ).toEqual([]);
  });

  it('keeps promises out of the core, and lets them be elsewhere', () => {
    expect(asynchronyFindings([file('src/core/a.ts', 'async () => await x')])).toHaveLength(2);
    expect(asynchronyFindings([file('src/replica/a.ts', 'async () => await x')])).toEqual([]);
  });
});

describe('the rules of files', () => {
  it.each([
    'export default 1;',
    'export { x as default };',
    "export * from './x.ts';",
    "export type { X } from './x.ts';",
  ])('refuse %s', (code) => {
    expect(exportFindings([file('src/core/a.ts', code)])).toHaveLength(1);
  });

  it('count lines, a final newline not among them', () => {
    const lines = (count: number) => 'x\n'.repeat(count);
    expect(
      lengthFindings([file('src/a.ts', lines(300)), file('src/a.test.ts', lines(400)), file('test/b.ts', lines(400))]),
    ).toEqual([]);
    expect(lengthFindings([file('src/a.ts', lines(301)), file('src/a.test.ts', lines(401))])).toHaveLength(2);
  });

  it.each(['src/a/index.ts', 'src/a/camelCase.ts', 'src/a/snake_case.ts', 'src/a/Upper.ts'])(
    'refuse the name %s',
    (path) => {
      expect(nameFindings([file(path, '')])).toHaveLength(1);
    },
  );

  it.each([
    '/work/main/src',
    'see /root/x',
    '"/tmp/data"',
    '(/home/ann/x)',
    'https://registry.internal.example/x',
    'npm.corp.example',
  ])('refuse the trace %s', (text) => {
    expect(machineFindings([file('README.md', text)])).toHaveLength(1);
  });

  it('let paths of our own be', () => {
    const text = 'dist/work/x, ./tmp/x, /v1/work/y, https://registry.npmjs.org/x, /var/lib/quorate, npm.js';
    expect(machineFindings([file('README.md', text)])).toEqual([]);
  });
});

describe('the rule of documents', () => {
  it('wants each name in inline code, alone or with a value', () => {
    const text = 'bad-key and `bad-keys`; `r` / `w=2`, `Quorate-Quorum: r=2/2`\n```\nbad-context\n```';
    expect(undocumented(text, 'code', ['bad-key', 'bad-context', 'r', 'w', 'Quorate-Quorum'])).toEqual([
      'README.md: code `bad-key` is not described',
      'README.md: code `bad-context` is not described',
    ]);
  });

  it('wants the default of a setting to be the true one', () => {
    const settings = { siblings: LIMIT_SETTINGS.siblings };
    expect(wrongDefaults('# Limits\n| `limits.siblings` | `32` | siblings |', 'limits', settings)).toEqual([]);
    expect(wrongDefaults('# Limits\n| `limits.siblings` | `16` | siblings |', 'limits', settings)).toHaveLength(1);
    expect(wrongDefaults('', 'limits', settings)).toHaveLength(1);
  });

  it('finds the headers that the code spells out', () => {
    expect(headersIn("h('Quorate-Epoch', `Causal-Context`, 'Quorate-Meta-'); // Quorate-Nothing")).toEqual([
      'Quorate-Epoch',
      'Causal-Context',
    ]);
  });
});
