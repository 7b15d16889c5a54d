/** From answers to data. What does not have the documented shape is `bad-answer`: it was not Quorate that answered. */
import type { CatchUpView, ClusterView, KeyPlacement, RingView } from '../coordinator/api.ts';
import { ClientError, type ProblemFields } from './client-error.ts';

/** An answer with its body read to the end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** One of several values that no write has replaced yet. */
export interface Sibling {
  /** Names it: `get` with this `dot` answers just this sibling. */
  readonly dot: string;
  readonly value: Uint8Array;
  readonly contentType: string;
  /** When a coordinator took the write, ISO 8601. */
  readonly lastModified: string;
  readonly meta: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;

const META_PREFIX = 'quorate-meta-';

/** The problem document as an error. Never fails: an answer without one is described by its status. */
export function problemOf(answer: Answer): ClientError {
  const fields = isJson(answer, 'application/problem+json') ? objectOf(parsedJson(answer)) : undefined;
  if (fields === undefined || typeof fields.code !== 'string') {
    return badAnswer(answer, `status ${answer.status} without a problem document`);
  }
  const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const problem: ProblemFields = {
    code: fields.code,
    title: typeof fields.title === 'string' ? fields.title : `Status ${answer.status}`,
    detail: typeof fields.detail === 'string' ? fields.detail : '',
    status: answer.status,
    ...quorumFields(fields),
    ...(Number.isFinite(retryAfter) ? { retryAfterS: retryAfter } : {}),
  };
  return new ClientError(problem);
}

/** The body of a 300. */
export function siblingsOf(answer: Answer): readonly Sibling[] {
  const { siblings } = objectOf(parsedJson(answer)) ?? {};
  if (!Array.isArray(siblings)) throw badAnswer(answer, 'siblings without a list');
  return siblings.map((sibling) => siblingOf(objectOf(sibling) ?? {}, answer));
}

/** User metadata from the headers of a single value, names in lower case without their prefix. */
export function metaOf(headers: Headers): Readonly<Record<string, string>> {
  const meta = [...headers].filter(([name]) => name.startsWith(META_PREFIX));
  return Object.fromEntries(meta.map(([name, value]) => [name.slice(META_PREFIX.length), value]));
}

export function clusterOf(answer: Answer): ClusterView {
  return documentOf<ClusterView>(answer, ['cluster', 'epoch', 'members']);
}

export function catchUpOf(answer: Answer): CatchUpView {
  return documentOf<CatchUpView>(answer, ['node', 'partitions', 'excepted']);
}

export function ringOf(answer: Answer): RingView {
  return documentOf<RingView>(answer, ['epoch', 'partitions']);
}

export function placementOf(answer: Answer): KeyPlacement {
  return documentOf<KeyPlacement>(answer, ['partition', 'owners', 'preferenceList']);
}

/** Any JSON document. */
export function jsonOf(answer: Answer): unknown {
  const value = parsedJson(answer);
  if (value === undefined) throw badAnswer(answer, 'no JSON');
  return value;
}

export function badAnswer({ status }: Answer, what: string): ClientError {
  return new ClientError({ code: 'bad-answer', title: 'Not an answer of Quorate', detail: what, status });
}

function documentOf<View>(answer: Answer, required: readonly string[]): View {
  const fields = objectOf(parsedJson(answer));
  const missing = required.find((name) => fields?.[name] === undefined);
  if (missing !== undefined) throw badAnswer(answer, `a document without "${missing}"`);
  return fields as View;
}

function siblingOf(fields: Fields, answer: Answer): Sibling {
  const { dot, value, valueBase64, contentType, lastModified } = fields;
  const text = typeof value === 'string' ? Buffer.from(value, 'utf8') : undefined;
  const bytes = text ?? (typeof valueBase64 === 'string' ? Buffer.from(valueBase64, 'base64') : undefined);
  if (typeof dot !== 'string' || bytes === undefined) throw badAnswer(answer, 'a sibling without dot or value');
  return {
    dot,
    value: bytes,
    contentType: typeof contentType === 'string' ? contentType : 'application/octet-stream',
    lastModified: typeof lastModified === 'string' ? lastModified : '',
    meta: stringsOf(fields.meta),
  };
}

function quorumFields(fields: Fields): Partial<ProblemFields> {
  const { outcome, retryable, epoch, required } = fields;
  return {
    ...(outcome === 'not_applied' || outcome === 'unknown' ? { outcome } : {}),
    ...(typeof retryable === 'boolean' ? { retryable } : {}),
    ...(typeof epoch === 'number' ? { epoch } : {}),
    ...(typeof required === 'number' ? { required } : {}),
    ...(Array.isArray(fields.acked) ? { acked: fields.acked.map(String) } : {}),
    ...(Array.isArray(fields.pending) ? { pending: fields.pending.map(String) } : {}),
    ...(Array.isArray(fields.failed) ? { failed: fields.failed.map(failureOf) } : {}),
  };
}

function failureOf(failure: unknown): { node: string; reason: string } {
  const { node, reason } = objectOf(failure) ?? {};
  return { node: String(node), reason: String(reason) };
}

function stringsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(objectOf(value) ?? {}).flatMap(([name, text]) =>
    typeof text === 'string' ? [[name, text] as const] : [],
  );
  return Object.fromEntries(entries);
}

function objectOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function isJson(answer: Answer, type: string): boolean {
  return (answer.headers.get('content-type') ?? '').toLowerCase().startsWith(type);
}

function parsedJson(answer: Answer): unknown {
  try {
    return JSON.parse(Buffer.from(answer.body).toString('utf8'));
  } catch {
    return undefined;
  }
}
