import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../bytes.ts';
import { actor, anyDotSet, dot, dots } from './causality-builders.ts';
import { openContext, sealContext, TOKEN_CHARACTERS_MAX, TOKEN_MAC_BYTES, type TokenMac } from './context-token.ts';
import type { Dot } from './dot.ts';
import { type DotSet, dotSetOf, EMPTY_DOTS, hasDot, isSubset, writeDotSet } from './dot-set.ts';

/** Four lanes of FNV-1a over secret and body: no cryptography, but any two inputs of these tests differ in it. */
function macOf(secret: string): TokenMac {
  return (body) => {
    const mac = new Uint8Array(TOKEN_MAC_BYTES);
    for (let lane = 0; lane < 4; lane++) {
      let hash = 0x811c9dc5 ^ lane;
      for (const byte of [...Buffer.from(`${lane}${secret}\0`), ...body]) hash = Math.imul(hash ^ byte, 0x01000193);
      new DataView(mac.buffer).setInt32(lane * 4, hash);
    }
    return mac;
  };
}

const mac = macOf('cluster/bucket/key');
const seal = (context: DotSet, siblings: readonly Dot[] = []) => sealContext(context, siblings, mac);
const open = (token: string) => openContext(token, mac);

/** A token around any body, its MAC right. */
function sealed(...body: number[]): string {
  return Buffer.from([...body, ...mac(Uint8Array.from(body))]).toString('base64url');
}

/** Actors that no context of a token has room for, each with a base and an exception, the grants not in the actors' order. */
const crowd = (count: number): DotSet =>
  Array.from({ length: count }, (_, i) => ({
    actor: actor(i + 1, 1 + ((i * 7919) % count)),
    runs: [1, 1000, 2000, 2001],
  }));

describe('context token', () => {
  it('opens to the context that was sealed', () => {
    fc.assert(
      fc.property(anyDotSet, (context) => {
        expect(open(seal(context))).toEqual(context);
      }),
    );
  });

  it('says nothing also when the context is empty', () => {
    expect(open(seal(EMPTY_DOTS))).toEqual(EMPTY_DOTS);
  });

  it('is refused under another key or cluster', () => {
    const token = seal(dots('1.1.1'));
    expect(openContext(token, macOf('cluster/bucket/other'))).toBeUndefined();
    expect(openContext(token, macOf('other/bucket/key'))).toBeUndefined();
  });

  it('is refused with any bit flipped', () => {
    const bytes = Buffer.from(seal(dots('1.1.1', '1.1.4', '300.70000.123456')), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(open(flipped.toString('base64url'))).toBeUndefined();
    }
  });

  it('is refused with any character changed, left out or added', () => {
    const token = seal(dots('1.1.1', '2.1.4'));
    for (let at = 0; at <= token.length; at++) {
      const [head, tail] = [token.slice(0, at), token.slice(at + 1)];
      for (const middle of ['', 'A', '_', '=', ' ', 'é', `${token[at] ?? ''}A`]) {
        const changed = head + middle + tail;
        if (changed !== token) expect(open(changed), changed).toBeUndefined();
      }
    }
  });

  it.each(['', 'A', 'AA', '=', 'not base64url', '\n'])('is refused as %j', (text) => {
    expect(open(text)).toBeUndefined();
  });

  it('is refused when its base64url has spare bits that are not zero, its padding, or the other alphabet', () => {
    const token = [dots('1.1.1'), dots('1.1.200'), dots('1.1.1', '2.1.1')]
      .map((set) => seal(set))
      .find((text) => text.length % 4 === 2);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    if (token === undefined) throw new Error('no token with spare bits');
    const last = alphabet.indexOf(token.at(-1) ?? '');
    const respelt = token.slice(0, -1) + alphabet.charAt(last + 1);
    expect(Buffer.from(respelt, 'base64url')).toEqual(Buffer.from(token, 'base64url'));
    expect([open(token) === undefined, open(respelt), open(`${token}==`)]).toEqual([false, undefined, undefined]);
    const standard = Buffer.from(seal(crowd(50)), 'base64url')
      .toString('base64')
      .replace(/=+$/, '');
    expect([/[+/]/.test(standard), open(standard)]).toEqual([true, undefined]);
  });

  it('is refused when too long, though its MAC is right', () => {
    const fitting = sealed(...bodyOf(actorsOf(1)));
    expect(open(fitting)).toEqual(actorsOf(1));
    const long = sealed(...bodyOf(actorsOf(1000)));
    expect([long.length > TOKEN_CHARACTERS_MAX, open(long)]).toEqual([true, undefined]);
  });

  it.each([
    ['of another format', [2, 0]],
    ['with bytes left over', [1, 0, 0]],
    ['that is not canonical', [1, 1, 1, 1, 2, 1, 0]],
    ['that ends early', [1, 1, 1]],
    ['without a set', [1]],
  ] satisfies [string, number[]][])('is refused with a body %s, though its MAC is right', (_, body) => {
    expect(open(sealed(1, 0))).toEqual(EMPTY_DOTS);
    expect(open(sealed(...body))).toBeUndefined();
  });

  it('narrows what is over the limit to a part of it that still covers the siblings', () => {
    const anySiblings = fc.array(fc.tuple(fc.nat({ max: 1e6 }), fc.constantFrom(1, 7, 1000, 2000, 2001)), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1500 }), anySiblings, (count, picks) => {
        const context = crowd(count);
        const siblings = picks.map(([at, counter]) => ({ actor: context[at % count]?.actor ?? actor(1), counter }));
        const token = seal(context, siblings);
        const opened = open(token);
        if (opened === undefined) throw new Error('its own token is refused');
        expect(token.length).toBeLessThanOrEqual(TOKEN_CHARACTERS_MAX);
        expect(isSubset(opened, context)).toBe(true);
        for (const sibling of siblings) expect(hasDot(opened, sibling)).toBe(true);
      }),
    );
  });

  it('drops exceptions first, and then the oldest grants only', () => {
    const context = crowd(600);
    const opened = open(seal(context)) ?? EMPTY_DOTS;
    const grants = opened.map((entry) => entry.actor % 2 ** 32);
    expect(opened.every(({ runs }) => runs.join() === '1,1000')).toBe(true);
    expect(Math.min(...grants)).toBe(600 - opened.length + 1);
    expect(opened.length).toBeGreaterThan(400);
  });

  it('fills the room that there is', () => {
    expect(seal(crowd(1500)).length).toBeGreaterThan(TOKEN_CHARACTERS_MAX - 16);
  });

  it('never covers a sibling that the context does not', () => {
    const opened = open(seal(crowd(1500), [dot('1.1.1500')]));
    expect(opened !== undefined && hasDot(opened, dot('1.1.1500'))).toBe(false);
  });

  it('covers as many siblings as fit, the newest grants first, when not even they fit', () => {
    const context = crowd(1000);
    const opened =
      open(
        seal(
          context,
          context.map((entry) => ({ actor: entry.actor, counter: 2001 })),
        ),
      ) ?? EMPTY_DOTS;
    expect(opened.length).toBeGreaterThan(350);
    for (const entry of opened) expect(hasDot(opened, { actor: entry.actor, counter: 2001 })).toBe(true);
    expect(Math.min(...opened.map((entry) => entry.actor % 2 ** 32))).toBe(1000 - opened.length + 1);
  });
});

function actorsOf(count: number): DotSet {
  return dotSetOf(Array.from({ length: count }, (_, i) => ({ actor: actor(i + 1), counter: 1 })));
}

function bodyOf(context: DotSet): Uint8Array {
  const out = new ByteWriter().u8(1);
  writeDotSet(out, context);
  return out.copy();
}
