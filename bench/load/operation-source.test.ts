import { describe, expect, it } from 'vitest';
import { GET, type Mix, PUT, READ_MODIFY_WRITE, YCSB } from './mix.ts';
import { OperationSource } from './operation-source.ts';
import { seeded } from './test-random.ts';

const KEYS = 100;
const DRAWS = 20_000;

const sourceOf = (mix: Mix, seed = 1): OperationSource =>
  new OperationSource({ mix, distribution: mix.distribution, keys: KEYS, random: seeded(seed) });

const inserting: Mix = { name: 'inserts', read: 0, update: 0, insert: 1, readModifyWrite: 0, distribution: 'latest' };
const half: Mix = { ...inserting, read: 0.5, insert: 0.5 };

describe('the operations of a mix', () => {
  it.each([PUT, GET, READ_MODIFY_WRITE, ...YCSB])('are there in its shares: $name', (mix) => {
    const source = sourceOf(mix);
    const counts = { read: 0, update: 0, insert: 0, 'read-modify-write': 0 };
    for (let i = 0; i < DRAWS; i++) counts[source.next().kind]++;
    expect(counts.read / DRAWS).toBeCloseTo(mix.read, 1.7);
    expect(counts.update / DRAWS).toBeCloseTo(mix.update, 1.7);
    expect(counts.insert / DRAWS).toBeCloseTo(mix.insert, 1.7);
    expect(counts['read-modify-write'] / DRAWS).toBeCloseTo(mix.readModifyWrite, 1.7);
  });

  it.each([PUT, GET, READ_MODIFY_WRITE, ...YCSB])('have shares that make one together: $name', (mix) => {
    expect(mix.read + mix.update + mix.insert + mix.readModifyWrite).toBeCloseTo(1, 9);
  });

  it('are of keys that were filled', () => {
    const source = sourceOf(PUT);
    for (let i = 0; i < 1000; i++) expect(source.next().key).toMatch(/^key-\d\d?$/);
  });
});

describe('inserted keys', () => {
  it('are new, each once', () => {
    const source = sourceOf(inserting);
    const inserted = Array.from({ length: 50 }, () => source.next());
    expect(inserted.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, i) => KEYS + i));
    expect(new Set(inserted.map(({ key }) => key)).size).toBe(50);
  });

  it('are other ones in each run', () => {
    expect(sourceOf(inserting, 1).next().key).not.toBe(sourceOf(inserting, 2).next().key);
  });

  it('are read only when they and all before them have ended', () => {
    const source = sourceOf(half);
    const drawn = Array.from({ length: 200 }, () => source.next());
    expect(drawn.filter(({ kind, number }) => kind === 'read' && number >= KEYS)).toEqual([]);
    const inserts = drawn.filter(({ kind }) => kind === 'insert');
    for (const insert of inserts.slice(1)) source.ended(insert);
    const after = Array.from({ length: 200 }, () => source.next());
    expect(after.filter(({ kind, number }) => kind === 'read' && number >= KEYS)).toEqual([]);
    const [first] = inserts;
    if (first !== undefined) source.ended(first);
    const reads = Array.from({ length: 200 }, () => source.next()).filter(({ kind }) => kind === 'read');
    const newest = reads.filter(({ number }) => number >= KEYS).map(({ key }) => key);
    expect(newest).toContain(inserts.at(-1)?.key);
  });
});
