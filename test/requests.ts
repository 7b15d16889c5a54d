/** Requests as the tests write them. */
import type { GetRequest, GetResult, WriteRequest } from '../src/coordinator/api.ts';
import { StoreError } from '../src/errors.ts';

export const put = (key: string, value: string, more: Partial<WriteRequest> = {}): WriteRequest => ({
  ...{ bucket: 'b', key, timeoutMs: 2000, context: undefined, returnValue: false },
  version: { value: Buffer.from(value), contentType: 'text/plain', meta: [] },
  ...more,
});

export const remove = (key: string, more: Partial<WriteRequest> = {}): WriteRequest => ({
  ...put(key, '', more),
  version: undefined,
});

export const get = (key: string, more: Partial<GetRequest> = {}): GetRequest => ({
  ...{ bucket: 'b', key, timeoutMs: 2000 },
  ...more,
});

/** The values of an answer, in the order of their dots. */
export const valuesOf = (result: Pick<GetResult, 'siblings'>): readonly string[] =>
  result.siblings.map(({ value }) => Buffer.from(value).toString());

/** The error with which a request ends; fails when it is answered. */
export async function errorOf(request: Promise<unknown>): Promise<StoreError> {
  const outcome = await request.then(
    (answer) => ({ answer }),
    (error: unknown) => error,
  );
  if (outcome instanceof StoreError) return outcome;
  throw new Error(`expected a StoreError, got ${JSON.stringify(outcome)}`);
}
