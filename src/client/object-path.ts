import { ClientError } from './client-error.ts';

/**
 * The request target of a key: `/v1/kv/BUCKET/KEY`, every byte that is not safe percent-encoded, slashes of the key as they are.
 *
 * What a URL parser on the way would rewrite (segments `.` and `..`) is refused here as the server would, since the request would
 * reach another key. Errors: {@link ClientError} `bad-bucket`, `bad-key`.
 */
export function objectPath(bucket: string, key: string): string {
  if (key === '') throw refusal('bad-key', 'a key has at least one byte');
  if (/\p{Surrogate}/u.test(key)) throw refusal('bad-key', 'the key holds half a surrogate pair, which has no UTF-8');
  const segments = key.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw refusal('bad-key', 'a key has no segment "." or ".."');
  }
  return `${bucketPath(bucket)}/${segments.map(encodeURIComponent).join('/')}`;
}

/** `/v1/kv/BUCKET`. Errors: {@link ClientError} `bad-bucket`. */
export function bucketPath(bucket: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(bucket) || bucket === '.' || bucket === '..') {
    throw refusal('bad-bucket', 'a bucket has 1..64 letters, digits, ".", "_" or "-", and is not "." or ".."');
  }
  return `/v1/kv/${bucket}`;
}

/** The inverse, for the `Location` of a key that the server has made; undefined when it is no path in `bucket`. */
export function keyOfPath(bucket: string, path: string): string | undefined {
  const prefix = `/v1/kv/${bucket}/`;
  if (!path.startsWith(prefix)) return undefined;
  try {
    return decodeURIComponent(path.slice(prefix.length));
  } catch {
    return undefined;
  }
}

function refusal(code: 'bad-key' | 'bad-bucket', detail: string): ClientError {
  return new ClientError({
    code,
    title: code === 'bad-key' ? 'Bad key' : 'Bad bucket',
    detail,
    outcome: 'not_applied',
  });
}
