import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { anyContainer, bytesOf, containerOf, dot, dots, siblingOf } from '../core/causality/causality-builders.ts';
import { type Container, EMPTY_CONTAINER } from '../core/causality/container.ts';
import { EMPTY_DOTS } from '../core/causality/dot-set.ts';
import { compareKeys, type ObjectKey, objectKey, partition } from '../core/ids.ts';
import { loadHashes } from '../system/hash.ts';
import { ContentHashes, siblingHash } from './content-hashes.ts';

const hashOf = siblingHash((await loadHashes()).checksum32);
const p = partition(3);
const key = (name: string): ObjectKey => objectKey('b', name);
const withoutContext = ({ siblings }: Container): Container => ({ siblings, context: EMPTY_DOTS });

/** A partition whose keys change while they are counted. */
class Content {
  readonly hashes = new ContentHashes(hashOf);
  readonly stored = new Map<ObjectKey, Container>();
  private after: ObjectKey | undefined;

  put(at: ObjectKey, container: Container): void {
    this.hashes.changed(p, at, this.stored.get(at) ?? EMPTY_CONTAINER, container);
    if (container.siblings.length > 0) this.stored.set(at, container);
    else this.stored.delete(at);
  }

  begin(): void {
    this.after = undefined;
    this.hashes.beginCount(p);
  }

  /** The next key behind the last one; false when there is none, which ends the count. */
  step(): boolean {
    const { after } = this;
    const behind = [...this.stored.keys()].filter((each) => after === undefined || compareKeys(each, after) > 0);
    const next = behind.sort(compareKeys)[0];
    if (next === undefined) return false;
    this.hashes.counted(p, next, this.stored.get(next) ?? EMPTY_CONTAINER);
    this.after = next;
    return true;
  }

  countAll(): boolean {
    this.begin();
    while (this.step());
    return this.hashes.endCount(p);
  }

  get hash(): number | undefined {
    return this.hashes.of(p, EMPTY_DOTS);
  }
}

/** What a fresh count of the same keys finds. */
function recounted({ stored }: Content): number | undefined {
  const fresh = new Content();
  for (const [each, container] of stored) fresh.put(each, container);
  fresh.countAll();
  return fresh.hash;
}

const anyChange = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e').map(key),
  container: fc.oneof(fc.constant(EMPTY_CONTAINER), anyContainer.map(withoutContext)),
  countsOn: fc.boolean(),
});

describe('the hash of a partition\u2019s contents', () => {
  let content: Content;
  beforeEach(() => {
    content = new Content();
  });

  it('is not known before the partition was counted', () => {
    content.put(key('a'), withoutContext(containerOf([dot('1.1.1')])));
    expect(content.hash).toBeUndefined();
    content.begin();
    content.step();
    expect(content.hash).toBeUndefined();
    content.hashes.endCount(p);
    expect(content.hash).toEqual(expect.any(Number));
  });

  it('is that of what is stored, whatever has changed before, while and after it was counted', () => {
    fc.assert(
      fc.property(fc.array(anyChange), fc.array(anyChange), fc.array(anyChange), (before, meanwhile, after) => {
        const changing = new Content();
        for (const each of before) changing.put(each.key, each.container);
        changing.begin();
        for (const each of meanwhile) {
          changing.put(each.key, each.container);
          if (each.countsOn) changing.step();
        }
        while (changing.step());
        expect(changing.hashes.endCount(p)).toBe(true);
        for (const each of after) changing.put(each.key, each.container);
        expect(changing.hash).toBe(recounted(changing));
        expect(changing.countAll()).toBe(true);
      }),
    );
  });

  it('is another one when a key, a dot or a version is', () => {
    const { dot: at, version } = siblingOf(dot('1.1.1'));
    const variants = [
      hashOf(key('a'), { dot: at, version }),
      hashOf(key('b'), { dot: at, version }),
      hashOf(objectKey('c', 'a'), { dot: at, version }),
      hashOf(key('a'), { dot: dot('1.1.2'), version }),
      hashOf(key('a'), { dot: dot('1.2.1'), version }),
      hashOf(key('a'), { dot: at, version: bytesOf('1.1.0') }),
    ];
    expect(new Set(variants).size).toBe(variants.length);
  });

  it('does not depend on contexts', () => {
    content.countAll();
    content.put(key('a'), containerOf([dot('1.1.1')], dots('2.1.1')));
    const first = content.hashes.of(p, dots('1.1.1', '2.1.1'));
    content.put(key('a'), withoutContext(containerOf([dot('1.1.1')])));
    expect(content.hash).toBe(first);
  });

  it('is kept to itself while a key reflects a write that the clock does not have', () => {
    content.countAll();
    content.put(key('a'), { siblings: [], context: dots('2.1.5') });
    expect(content.hashes.of(p, dots('2.1.4'))).toBeUndefined();
    expect(content.hashes.of(p, dots('2.1.5'))).toBe(0);
    expect(content.hashes.of(p, dots('2.1.5'))).toBe(0);
  });

  it('is kept to itself while keys were judged by a clock that this one has not caught up with', () => {
    content.countAll();
    content.hashes.drawsOn(p, dots('1.1.1', '2.1.7'));
    expect(content.hashes.of(p, dots('1.1.1'))).toBeUndefined();
    expect(content.hashes.of(p, dots('1.1.1', '2.1.7'))).toBe(0);
  });

  it('notices that keys of an earlier life have a context', () => {
    content.begin();
    content.hashes.counted(p, key('a'), containerOf([dot('1.1.1')], dots('2.1.5')));
    content.hashes.endCount(p);
    expect(content.hashes.of(p, dots('1.1.1'))).toBeUndefined();
  });

  it('is what a new count says, which tells when that is a surprise', () => {
    content.put(key('a'), withoutContext(containerOf([dot('1.1.1')])));
    content.put(key('b'), withoutContext(containerOf([dot('1.1.2')])));
    content.countAll();
    content.stored.delete(key('a'));
    expect(content.countAll()).toBe(false);
    expect(content.hash).toBe(recounted(content));
    expect(content.countAll()).toBe(true);
  });

  it('stays what it is when a count breaks off', () => {
    content.put(key('a'), withoutContext(containerOf([dot('1.1.1')])));
    content.countAll();
    const { hash } = content;
    content.begin();
    content.hashes.breakOffCount(p);
    content.put(key('b'), EMPTY_CONTAINER);
    expect(content.hash).toBe(hash);
  });
});
