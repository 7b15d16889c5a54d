/** What no source may contain, and how files are named and cut. */
import { areaOf } from './import-rules.ts';
import { type Finding, findInCode, importsOf, isTest, lineAt, type SourceFile } from './source-text.ts';

const SOURCE_LINES_MAX = 300;
const TEST_LINES_MAX = 400;

/** Where time, chance, sockets and files come from. Everything else gets them through its ports, so that the simulator can hand it others. */
const EDGE_AREAS: ReadonlySet<string> = new Set(['storage', 'rpc', 'system', 'config', 'http', 'cli', 'client']);
const EDGE_FILES: ReadonlySet<string> = new Set(['src/main.ts', 'src/product-version.ts', 'src/run-node.ts']);

const AMBIENT = [
  'Date',
  'performance',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'queueMicrotask',
  'process',
  'fetch',
  'console',
  'globalThis',
  'require',
  'WeakRef',
  'FinalizationRegistry',
  'Math\\.random',
  'AbortSignal\\.timeout',
  'Atomics\\.wait',
];

const AMBIENT_USE = new RegExp(`(?<![.\\w$])(?:${AMBIENT.join('|')})\\b(?!\\s*[?]?:(?!:))`);
const ASYNCHRONY = /(?<![.\w$])(?:Promise|async|await)\b/;
const DEFAULT_EXPORT = /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/;
const RE_EXPORT = /\bexport\s+(?:type\s+)?(?:\*|\{[^}]*\})(?:\s+as\s+\w+)?\s*from\b/;
const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*\.ts$/;
const MACHINE_PATH = /(?<![\w./-])\/(?:work|root|tmp|home|Users)\/[\w.-]/g;
const REGISTRY_HOST = /\b(?:registry|npm|packages?|artifactory|nexus)\.[a-z0-9-]+(?:\.[a-z0-9-]+)+/gi;
/** Where a link may well lead: the public registry's pages about a package. */
const PUBLIC_REGISTRY = 'registry.npmjs.org';

/** Clock, chance, timers, process and the system's modules outside the edge. */
export function ambientFindings(files: readonly SourceFile[]): Finding[] {
  return files.filter(isPure).flatMap((file) => [
    ...findInCode(file, AMBIENT_USE, (word) => `${word} outside the edge: use a port`),
    ...importsOf(file.text)
      .filter((specifier) => specifier.startsWith('node:'))
      .map((specifier) => `${file.path}: imports ${specifier} outside the edge: use a port`),
  ]);
}

/** The core is synchronous: it decides, and others wait. */
export function asynchronyFindings(files: readonly SourceFile[]): Finding[] {
  return files
    .filter(({ path }) => areaOf(path) === 'core')
    .flatMap((file) => findInCode(file, ASYNCHRONY, (word) => `${word} in the core`));
}

export function exportFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap((file) => [
    ...findInCode(file, DEFAULT_EXPORT, () => 'a default export: name it'),
    ...findInCode(file, RE_EXPORT, () => 'a re-export: import it from where it is'),
  ]);
}

export function lengthFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path, text }) => {
    const lines = lineAt(text.replace(/\n$/, ''), text.length);
    const max = isTest(path) ? TEST_LINES_MAX : SOURCE_LINES_MAX;
    return lines > max ? [`${path}: ${lines} lines, at most ${max}`] : [];
  });
}

export function nameFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path }) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name === 'index.ts') return [`${path}: a barrel: import from the file itself`];
    return KEBAB_CASE.test(name) ? [] : [`${path}: file names are in kebab case`];
  });
}

/** Traces of one machine, in code, comments and documents. */
export function machineFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path, text }) => [
    ...[...text.matchAll(MACHINE_PATH)].map((match) => `${path}:${lineAt(text, match.index)}: a path of one machine`),
    ...[...text.matchAll(REGISTRY_HOST)]
      .filter(([host]) => host !== PUBLIC_REGISTRY)
      .map((match) => `${path}:${lineAt(text, match.index)}: the host of a package registry`),
  ]);
}

function isPure({ path }: SourceFile): boolean {
  return !EDGE_FILES.has(path) && !EDGE_AREAS.has(areaOf(path) ?? '');
}
