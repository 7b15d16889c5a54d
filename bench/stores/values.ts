import { randomBytes } from 'node:crypto';
import { type NextValue, newValue } from './store.ts';

/**
 * Random values that are written in turn: a store that notices that a key already has the value may leave the write out (Consul does), and one
 * that compresses would find the same value over and over.
 */
export function randomValues(valueBytes: number): NextValue {
  const values = Array.from({ length: VALUES }, () => newValue(randomBytes(valueBytes)));
  let turn = 0;
  return () => {
    const value = values[turn++ % VALUES];
    if (value === undefined) throw new Error('no values');
    return value;
  };
}

/** Made before, with their base64: making one for each request would cost the client more than the request does. */
const VALUES = 64;
