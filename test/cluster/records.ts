import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Record {
  readonly key: string;
  readonly value: string;
}

const DPKG = '/var/lib/dpkg/info';
const KEY_BYTES_MAX = 1024;

/**
 * Real records found on this machine: the files that its Debian packages installed (path -> packages), or where there is no such
 * list, the files of this project's own npm packages (path -> beginning of the content). At most `count`, distinct keys.
 */
export function realRecords(count: number): { readonly source: string; readonly records: readonly Record[] } {
  const debian = existsSync(DPKG) ? debianFiles(count) : [];
  if (debian.length >= count) return { source: `files of Debian packages (${DPKG})`, records: debian };
  const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
  return { source: 'lines of the installed npm packages', records: npmLines(modules, count) };
}

function debianFiles(count: number): Record[] {
  const packages = new Map<string, string>();
  for (const list of readdirSync(DPKG)
    .filter((name) => name.endsWith('.list'))
    .sort()) {
    const owner = list.slice(0, -'.list'.length);
    for (const path of readFileSync(join(DPKG, list), 'utf8').split('\n')) {
      if (!isKey(path)) continue;
      const others = packages.get(path);
      packages.set(path, others === undefined ? owner : `${others}, ${owner}`);
    }
  }
  return [...packages].slice(0, count).map(([key, value]) => ({ key, value }));
}

function npmLines(folder: string, count: number): Record[] {
  const records: Record[] = [];
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(js|ts|json|md)$/.test(name) || name.includes(`${folder}/`)) continue;
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    for (const [i, line] of lines.entries()) records.push({ key: `${name}:${i + 1}`, value: line });
    if (records.length >= count) break;
  }
  return records.filter(({ key }) => isKey(key)).slice(0, count);
}

/** What the API takes as a key: no segment that is `.` or `..`. */
function isKey(text: string): boolean {
  const segments = text.split('/');
  return text !== '' && Buffer.byteLength(text) <= KEY_BYTES_MAX && !segments.includes('.') && !segments.includes('..');
}
