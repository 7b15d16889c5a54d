import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SiblingView } from '../coordinator/api.ts';
import { actorOf } from '../core/causality/dot.ts';
import { logIndex, memberNumber } from '../core/ids.ts';
import { ERROR_CODES, StoreError } from '../errors.ts';
import { ManualClock } from '../system/manual-clock.ts';
import { preferredType } from './accept.ts';
import { etagOf } from './etag.ts';
import { PROBLEMS, problemText } from './problem.ts';
import { decodeKey, kvAddress, kvPath } from './request-target.ts';
import { serverKey } from './server-key.ts';
import { siblingsJson } from './siblings-json.ts';
import { siblingsMultipart } from './siblings-multipart.ts';

function sibling(counter: number, value: string | Uint8Array): SiblingView {
  const dot = { actor: actorOf(memberNumber(1), logIndex(1)), counter };
  return { dot, value: Buffer.from(value), contentType: '', meta: [], stampMs: 0 };
}

const bytes = fc.uint8Array({ maxLength: 50 });

describe('multipart', () => {
  test('picks a boundary that no value contains', () => {
    const first = /boundary=(.+)/.exec(siblingsMultipart([sibling(1, 'a'), sibling(2, 'b')]).contentType)?.[1] ?? '';
    const hostile = siblingsMultipart([sibling(1, `--${first}--`), sibling(2, 'b')]);
    const boundary = /boundary=(.+)/.exec(hostile.contentType)?.[1] ?? '';
    expect(boundary).not.toBe(first);
    expect(first.startsWith(boundary)).toBe(false);
    expect(hostile.body.toString().split(`--${boundary}`)).toHaveLength(4);
  });

  test('holds every value byte for byte', () => {
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 2, maxLength: 5 }), (values) => {
        const { contentType, body } = siblingsMultipart(values.map((value, i) => sibling(i + 1, value)));
        const boundary = /boundary=(.+)/.exec(contentType)?.[1] ?? '';
        const parts = body.toString('latin1').split(`--${boundary}\r\n`).slice(1);
        const got = parts.map((part) => part.slice(part.indexOf('\r\n\r\n') + 4).split(`\r\n--${boundary}--`)[0]);
        const trimmed = got.map((text, i) => (i === got.length - 1 ? text : text?.replace(/\r\n$/, '')));
        expect(trimmed).toEqual(values.map((value) => Buffer.from(value).toString('latin1')));
      }),
    );
  });
});

test('JSON holds every value byte for byte', () => {
  fc.assert(
    fc.property(fc.array(bytes, { minLength: 2, maxLength: 5 }), (values) => {
      const text = siblingsJson(values.map((value, i) => sibling(i + 1, value))).toString();
      const { siblings } = JSON.parse(text) as { siblings: { value?: string; valueBase64?: string }[] };
      const got = siblings.map(({ value, valueBase64 }) =>
        value === undefined ? Buffer.from(valueBase64 ?? '', 'base64') : Buffer.from(value),
      );
      expect(got).toEqual(values.map((value) => Buffer.from(value)));
    }),
  );
});

test('the tag depends on the dots and the form, and on nothing else', () => {
  const [a, b] = [sibling(1, 'a'), sibling(2, 'b')];
  expect(etagOf([a], 'value')).toBe(etagOf([sibling(1, 'a')], 'value'));
  const tags = [etagOf([a], 'value'), etagOf([b], 'value'), etagOf([a, b], 'json'), etagOf([a, b], 'multipart')];
  expect(new Set(tags).size).toBe(4);
  for (const tag of tags) expect(tag).toMatch(/^"[\x21\x23-\x7e]+"$/);
});

describe('Accept', () => {
  const offers = ['application/json', 'multipart/mixed'];
  const cases: readonly (readonly [accept: string | undefined, chosen: string | undefined])[] = [
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['MULTIPART/Mixed', 'multipart/mixed'],
    ['application/*;q=0.1,multipart/mixed;q=0.11', 'multipart/mixed'],
    ['multipart/mixed;q=0', undefined],
    ['multipart/mixed;q=0,*/*', 'application/json'],
    ['text/html', undefined],
    ['application/json ; q=0.000', undefined],
    ['application/json;q=2, multipart/mixed;q=0.1', 'multipart/mixed'],
  ];
  test.each(cases)('%s chooses %s', (accept, chosen) => {
    expect(preferredType(accept, offers)).toBe(chosen);
  });
});

describe('a key', () => {
  test('survives the way through its own path', () => {
    const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    const usable = key.filter((text) => !text.split('/').some((segment) => segment === '.' || segment === '..'));
    fc.assert(
      fc.property(usable, (text) => {
        expect(kvAddress(kvPath({ bucket: 'b', key: text }))).toEqual({ bucket: 'b', key: text });
      }),
    );
  });

  test('of any bytes is either one key or a known error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 80 }), (raw) => {
        try {
          expect(decodeKey(raw)).not.toBe('');
        } catch (error) {
          expect(error).toBeInstanceOf(StoreError);
        }
      }),
    );
  });
});

test('keys made by the server sort by time and differ within one millisecond', () => {
  const clock = new ManualClock();
  let seed = 0;
  const random = { next: () => 0, bytes: (length: number) => new Uint8Array(length).fill(++seed) };
  const keys = Array.from({ length: 50 }, (_, i) => {
    clock.advance(i % 2);
    return { key: serverKey(clock, random), time: clock.wallMs() };
  });
  expect(new Set(keys.map(({ key }) => key)).size).toBe(50);
  for (const { key } of keys) expect(key).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
  for (const a of keys) for (const b of keys) if (a.time < b.time) expect(a.key < b.key).toBe(true);
});

test('every error code has a status, a title and a document', () => {
  for (const code of ERROR_CODES) {
    const document: unknown = JSON.parse(problemText(new StoreError(code, 'why'), '/x'));
    const { status, title } = PROBLEMS[code];
    expect(status).toBeGreaterThanOrEqual(400);
    expect(document).toMatchObject({ type: 'about:blank', title, status, code, detail: 'why', instance: '/x' });
  }
});
