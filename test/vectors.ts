import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where other projects' test data lies, or undefined when it is not on this machine. It is never part of this repository. */
export function vectorsFolder(): string | undefined {
  const folder = process.env.QUORATE_VECTORS ?? fileURLToPath(new URL('../../shared/vectors', import.meta.url));
  return existsSync(folder) ? folder : undefined;
}
