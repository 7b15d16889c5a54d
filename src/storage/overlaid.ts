import { compareKeys } from '../core/ids.ts';

/**
 * Two sequences in byte order of their keys as one: of a key that both have, what the first one says. Of each, no more is taken than one
 * item beyond what is taken of both.
 */
export function* overlaid<A extends { readonly key: string }, B extends { readonly key: string }>(
  newer: Iterable<A>,
  older: Iterable<B>,
): Generator<A | B, void> {
  const first = newer[Symbol.iterator]();
  let next = first.next();
  for (const one of older) {
    for (; next.done !== true && compareKeys(next.value.key, one.key) < 0; next = first.next()) yield next.value;
    // The newer one goes before whatever comes next.
    if (next.done !== true && next.value.key === one.key) continue;
    yield one;
  }
  for (; next.done !== true; next = first.next()) yield next.value;
}
