import type { Failure, Value, Way } from './store.ts';

/** How a store takes operations over HTTP: pure functions from an operation to a request, and from an answer to what it means. */
export interface HttpDialect {
  read(key: string, way: Way): HttpRequest;
  write(key: string, value: Value, way: Way): HttpRequest;
  /** A read whose answer tells what {@link writeAfter} needs. */
  readBeforeWrite(key: string, way: Way): HttpRequest;
  /** A write that takes effect only upon what the answer `seen` showed (or, in quorate, beside what it did not show). */
  writeAfter(key: string, value: Value, way: Way, seen: HttpAnswer): HttpRequest;
  /** Undefined: it succeeded. */
  failureOf(step: 'read' | 'write' | 'write-after', answer: HttpAnswer): Failure | undefined;
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is ASCII. */
  readonly body?: string | Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  /** Status line and header lines, as they came. */
  readonly head: string;
  readonly body: Buffer;
}

export function headerOf({ head }: HttpAnswer, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*?) *$`, 'im').exec(head)?.[1];
}

export const isSuccess = ({ status }: HttpAnswer): boolean => status >= 200 && status < 300;
