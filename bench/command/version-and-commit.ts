import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { productVersion } from '../../src/product-version.ts';

/** Where package.json is, seen from the compiled file. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** "0.1.0", and in a clone the commit as well, with `-dirty` when something is changed: "0.1.0 (1a2b3c4-dirty)". */
export function versionAndCommit(): string {
  const commit = commitOf(ROOT);
  return commit === undefined ? productVersion() : `${productVersion()} (${commit})`;
}

/** Undefined where there is no clone, or no git. */
function commitOf(folder: string): string | undefined {
  if (!existsSync(`${folder}.git`)) return undefined;
  try {
    const args = ['-C', folder, 'describe', '--always', '--dirty', '--match', ''];
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
