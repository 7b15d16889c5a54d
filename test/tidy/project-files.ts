import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SourceFile } from './source-text.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Every TypeScript file under `folder`, by path. */
export function typescriptFiles(folder: string): readonly SourceFile[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => projectFile(`${folder}/${name.replaceAll('\\', '/')}`));
}

/** The documents and settings in the root folder. A file that is missing is empty: what it should say is then found missing. */
export function projectFile(path: string): SourceFile {
  const full = join(ROOT, path);
  return { path, text: existsSync(full) ? readFileSync(full, 'utf8') : '' };
}
