/** Who may import whom: design.md's floors, and no cycles. */
import { posix } from 'node:path';
import { type Finding, importsOf, isTest, type SourceFile } from './source-text.ts';

/** From the ground up. Areas of one floor do not import each other. */
const FLOORS: readonly (readonly string[])[] = [
  ['core'],
  ['contracts'],
  ['storage', 'rpc', 'system', 'config'],
  ['membership'],
  ['replica'],
  ['coordinator'],
  ['repair'],
  ['client'],
  ['http', 'cli'],
  ['wiring'],
];

/** Files of `src` itself that everybody shares. All others there are wiring, which nobody imports. */
const CONTRACTS: ReadonlySet<string> = new Set(['errors.ts', 'ports.ts', 'protocol.ts']);

/** Every import that points down, sideways, out of `src`, or out of `core`, and every area that has no floor. */
export function floorFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path, text }) => {
    const area = areaOf(path);
    if (area === undefined) return [`${path}: belongs to no floor: put it on one in test/tidy/import-rules.ts`];
    return importsOf(text).flatMap((specifier) => {
      const reason = objection(path, area, specifier);
      return reason === undefined ? [] : [`${path}: imports ${specifier}: ${reason}`];
    });
  });
}

/** One finding per cycle that a walk along the imports meets. Types count too: they show that two files are one idea. */
export function cycleFindings(files: readonly SourceFile[]): Finding[] {
  const imports = new Map(files.map(({ path, text }) => [path, relativeImports(path, text)]));
  const finished = new Set<string>();
  const findings: Finding[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) findings.push(`cycle: ${[...trail.slice(start), path].join(' -> ')}`);
    if (start !== -1 || finished.has(path)) return;
    for (const imported of imports.get(path) ?? []) visit(imported, [...trail, path]);
    finished.add(path);
  };
  for (const { path } of files) visit(path, []);
  return findings;
}

/** The part of `src` a file belongs to: its folder, `contracts` or `wiring`; undefined when it has no floor. */
export function areaOf(path: string): string | undefined {
  const [src, first, second] = path.split('/');
  if (src !== 'src' || first === undefined) return undefined;
  const ofRoot = CONTRACTS.has(first) ? 'contracts' : 'wiring';
  const area = second === undefined ? ofRoot : first;
  return floorOf(area) === -1 ? undefined : area;
}

function objection(path: string, area: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return area === 'core' ? 'core imports nothing outside core' : undefined;
  const target = resolveFrom(path, specifier);
  const other = areaOf(target);
  if (other === undefined) return `${target} is on no floor`;
  if (isTest(target)) return 'it is for tests only';
  if (other === area || floorOf(other) < floorOf(area)) return undefined;
  return floorOf(other) === floorOf(area) ? `${other} is on the floor of ${area}` : `${other} is above ${area}`;
}

function floorOf(area: string): number {
  return FLOORS.findIndex((areas) => areas.includes(area));
}

function relativeImports(path: string, text: string): readonly string[] {
  return importsOf(text)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => resolveFrom(path, specifier));
}

function resolveFrom(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}
