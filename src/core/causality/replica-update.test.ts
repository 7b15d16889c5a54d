import { describe, expect, it } from 'vitest';
import { actor, bytesOf, containerOf, dot, dots, siblingOf, textsOf } from './causality-builders.ts';
import { type Container, EMPTY_CONTAINER, fill, isVoid } from './container.ts';
import { type Actor, formatDot } from './dot.ts';
import { addDot, type DotSet, EMPTY_DOTS } from './dot-set.ts';
import { applyRemote, coordinateWrite, nextDot } from './replica-update.ts';

const a = actor(1);
const b = actor(2);

/** One key of one replica. */
class Holder {
  stored: Container = EMPTY_CONTAINER;
  clock: DotSet = EMPTY_DOTS;

  put(by: Actor, context?: DotSet) {
    const version = bytesOf(formatDot(nextDot(this.clock, by)));
    return this.keep(coordinateWrite(this.stored, this.clock, by, version, context));
  }

  remove(by: Actor, context?: DotSet) {
    return this.keep(coordinateWrite(this.stored, this.clock, by, undefined, context));
  }

  get values(): string[] {
    return textsOf(this.stored.siblings.map((sibling) => sibling.dot));
  }

  private keep<T extends { readonly stored: Container; readonly clock: DotSet }>(update: T): T {
    this.stored = update.stored;
    this.clock = update.clock;
    return update;
  }
}

describe('coordinated write', () => {
  it('mints the next dot of its actor, and adds exactly that to the clock', () => {
    const holder = new Holder();
    expect(holder.put(a).added).toEqual([dot('1.1.1')]);
    const second = holder.put(a);
    expect([second.dot, second.added, holder.clock]).toEqual([dot('1.1.2'), [dot('1.1.2')], dots('1.1.1', '1.1.2')]);
    expect(holder.put(b).dot).toEqual(dot('2.1.1'));
  });

  it('mints above the highest counter, not in a gap', () => {
    expect(nextDot(dots('1.1.1', '1.1.5'), a)).toEqual(dot('1.1.6'));
    expect(nextDot(EMPTY_DOTS, a)).toEqual(dot('1.1.1'));
  });

  it('crashes rather than mint a dot that its own object has already', () => {
    const ahead = { siblings: [siblingOf(dot('1.1.3'))], context: dots('1.1.3') };
    expect(() => coordinateWrite(ahead, dots('1.1.1', '1.1.2'), a, bytesOf('x'), EMPTY_DOTS)).toThrow('minted once');
  });

  it('stores stripped and sends filled', () => {
    const holder = new Holder();
    holder.clock = dots('9.1.1');
    const update = holder.put(a, dots('7.1.7'));
    expect(update.filled.context).toEqual(dots('9.1.1', '7.1.7', '1.1.1'));
    expect(update.stored.context).toEqual(dots('7.1.7'));
  });

  it('discards what the context covers, and nothing else', () => {
    const holder = new Holder();
    for (const by of [a, a, b]) holder.put(by, EMPTY_DOTS);
    const update = holder.put(b, dots('1.1.2'));
    expect(holder.values).toEqual(['1.1.1', '2.1.1', '2.1.2']);
    expect(update.covered).toEqual(dots('1.1.2'));
  });

  it('leaves nothing of a deleted key', () => {
    const holder = new Holder();
    holder.put(a);
    holder.remove(b);
    expect(isVoid(holder.stored)).toBe(true);
    expect(holder.clock).toEqual(dots('1.1.1', '2.1.1'));
  });

  it('keeps what it deletes unseen as a residue until the clock has it', () => {
    const holder = new Holder();
    holder.remove(b, dots('1.1.1'));
    expect(holder.stored).toEqual({ siblings: [], context: dots('1.1.1') });
    const late = applyRemote(holder.stored, holder.clock, containerOf([dot('1.1.1')]), [dot('1.1.1')]);
    expect(late && isVoid(late.stored)).toBe(true);
  });

  it('leaves exactly two siblings when two writers go on with what each last wrote (H2)', () => {
    const holder = new Holder();
    const contexts: DotSet[] = [EMPTY_DOTS, EMPTY_DOTS];
    for (let turn = 0; turn < 100; turn++) {
      const { dot: minted, covered } = holder.put(turn % 3 === 0 ? a : b, contexts[turn % 2]);
      contexts[turn % 2] = addDot(covered, minted);
      expect(holder.stored.siblings.length).toBe(Math.min(turn + 1, 2));
    }
  });
});

describe('remote container', () => {
  const nothing = { stored: EMPTY_CONTAINER, clock: EMPTY_DOTS };

  it('adds the named dots and the siblings dots to the clock, never its context', () => {
    const remote = containerOf([dot('1.1.3')], dots('1.1.1', '1.1.2', '2.1.1'));
    const update = applyRemote(nothing.stored, nothing.clock, remote, [dot('2.1.1')]);
    expect(update?.added).toEqual([dot('2.1.1'), dot('1.1.3')]);
    expect(update?.clock).toEqual(dots('2.1.1', '1.1.3'));
    expect(update?.stored).toEqual({ siblings: [siblingOf(dot('1.1.3'))], context: dots('1.1.1', '1.1.2') });
  });

  it('names each dot once, however often the message does', () => {
    const update = applyRemote(nothing.stored, dots('3.1.1'), containerOf([dot('1.1.1')]), [
      dot('1.1.1'),
      dot('3.1.1'),
    ]);
    expect(update?.added).toEqual([dot('1.1.1')]);
  });

  it('judges what it lacks by its clock before the message', () => {
    const update = applyRemote(EMPTY_CONTAINER, dots('1.1.1'), containerOf([dot('1.1.1'), dot('1.1.2')]), [
      dot('1.1.2'),
    ]);
    expect(update?.stored.siblings).toEqual([siblingOf(dot('1.1.2'))]);
  });

  it('changes nothing the second time', () => {
    const remote = containerOf([dot('1.1.3')], dots('2.1.1'));
    const first = applyRemote(nothing.stored, nothing.clock, remote, [dot('1.1.3')]);
    if (first === undefined) throw new Error('changed nothing');
    expect(applyRemote(first.stored, first.clock, remote, [dot('1.1.3')])).toBeUndefined();
    expect(applyRemote(EMPTY_CONTAINER, first.clock, fill(EMPTY_CONTAINER, dots('1.1.3')), [])).toBeUndefined();
  });

  it('stores a residue again once the clock has grown over a part of it', () => {
    const stored = { siblings: [], context: dots('1.1.1', '1.1.2') };
    const update = applyRemote(stored, dots('1.1.1'), EMPTY_CONTAINER, []);
    expect(update?.stored.context).toEqual(dots('1.1.2'));
    expect(update?.added).toEqual([]);
  });

  it('takes a removal that brings no new dot', () => {
    const stored = { siblings: [siblingOf(dot('1.1.1'))], context: EMPTY_DOTS };
    const update = applyRemote(stored, dots('1.1.1'), containerOf([], dots('1.1.1')), []);
    expect(update && isVoid(update.stored)).toBe(true);
    expect(update?.added).toEqual([]);
  });
});
