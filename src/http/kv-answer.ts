import type { GetResult, QuorumReport, SiblingView, WriteResult } from '../coordinator/api.ts';
import { StoreError } from '../errors.ts';
import { preferredType } from './accept.ts';
import { type FlatHeaders, sendBytes, sendEmpty, sendJson } from './answer.ts';
import type { Edge } from './edge.ts';
import { etagOf, listsEtag, type Representation } from './etag.ts';
import type { Exchange } from './exchange.ts';
import { httpDate } from './http-date.ts';
import { type Fault, PROBLEM_TYPE, problemText } from './problem.ts';
import { DEFAULT_CONTENT_TYPE, siblingsJson } from './siblings-json.ts';
import { siblingsMultipart } from './siblings-multipart.ts';

const JSON_TYPE = 'application/json';
const MULTIPART_TYPE = 'multipart/mixed';
const SIBLING_TYPES = [JSON_TYPE, MULTIPART_TYPE];

/**
 * 200 with the value or the explanation, 300 with the siblings, 304, or 404 with what the read had seen.
 *
 * Errors: `not-acceptable` (300 only), `overloaded` (answers that nobody reads take up too much).
 */
export function answerRead(edge: Edge, exchange: Exchange, result: GetResult): void {
  const headers = edge.newHeaders();
  const { siblings, quorum } = result;
  const report = `r=${reportedQuorum(quorum)}; hedged=${quorum.hedged}`;
  addFacts(headers, result.context, report, quorum);
  if (result.explanation !== undefined && siblings.length > 0) return sendJson(exchange, headers, result.explanation);
  const form = siblings.length > 1 ? acceptedForm(exchange.headers.accept) : 'value';
  if (siblings.length === 0) sendNotFound(exchange, headers, result);
  else if (isUnchanged(exchange, siblings, form)) sendUnchanged(exchange, headers, siblings, form);
  else sendRead(edge, exchange, headers, siblings, form);
}

/** 204, or with the explanation, or the value as a GET would answer: the write is done, so nothing can turn this into an error any more. */
export function answerWrite(edge: Edge, exchange: Exchange, result: WriteResult, location: string | undefined): void {
  const headers = edge.newHeaders();
  const { siblings = [], quorum } = result;
  const report = `w=${reportedQuorum(quorum)}; durable=${result.durable}`;
  addFacts(headers, result.context, report, quorum);
  if (location !== undefined) headers.push('Location', location);
  if (result.explanation !== undefined) {
    sendJson(exchange, headers, result.explanation);
  } else if (siblings.length === 1) {
    sendSiblings(exchange, headers, siblings, 'value');
  } else if (siblings.length > 1) {
    sendSiblings(exchange, headers, siblings, preferredForm(exchange.headers.accept) ?? 'json');
  } else if (location !== undefined) {
    headers.push('Content-Length', '0');
    sendEmpty(exchange, 201, headers);
  } else {
    sendEmpty(exchange, 204, headers);
  }
}

function sendRead(
  edge: Edge,
  exchange: Exchange,
  headers: FlatHeaders,
  siblings: readonly SiblingView[],
  form: Representation,
): void {
  if (exchange.method !== 'HEAD') {
    let bytes = 0;
    for (const { value } of siblings) bytes += value.length;
    edge.budget.take(exchange, bytes);
  }
  sendSiblings(exchange, headers, siblings, form);
}

function acceptedForm(accept: string | undefined): Representation {
  const form = preferredForm(accept);
  if (form !== undefined) return form;
  throw new StoreError('not-acceptable', `siblings are ${SIBLING_TYPES.join(' or ')}`, { field: 'Accept' });
}

function preferredForm(accept: string | undefined): Representation | undefined {
  const type = preferredType(accept, SIBLING_TYPES);
  if (type === undefined) return undefined;
  return type === MULTIPART_TYPE ? 'multipart' : 'json';
}

function isUnchanged(exchange: Exchange, siblings: readonly SiblingView[], form: Representation): boolean {
  const { ifNoneMatch } = exchange.headers;
  return ifNoneMatch !== undefined && listsEtag(ifNoneMatch, etagOf(siblings, form));
}

function reportedQuorum({ owners, fallbacks, required }: QuorumReport): string {
  return `${owners + fallbacks}/${required}; owners=${owners}; fallbacks=${fallbacks}`;
}

function addFacts(headers: FlatHeaders, context: string, report: string, quorum: QuorumReport): void {
  headers.push('Causal-Context', context, 'Quorate-Quorum', report, 'Quorate-Epoch', String(quorum.epoch));
  const { timings } = quorum;
  if (timings.length === 0) return;
  let text = '';
  for (const { node, ms } of timings) text += `${text === '' ? '' : ', '}${node};dur=${Math.round(ms * 100) / 100}`;
  headers.push('Server-Timing', text);
}

function sendUnchanged(
  exchange: Exchange,
  headers: FlatHeaders,
  siblings: readonly SiblingView[],
  form: Representation,
): void {
  headers.push('ETag', etagOf(siblings, form), 'Last-Modified', httpDate(latestMs(siblings)));
  if (form !== 'value') headers.push('Vary', 'Accept');
  sendEmpty(exchange, 304, headers);
}

/** One sibling is the value itself; several are a 300 in the form that was asked for. */
function sendSiblings(
  exchange: Exchange,
  headers: FlatHeaders,
  siblings: readonly SiblingView[],
  form: Representation,
): void {
  headers.push('ETag', etagOf(siblings, form), 'Last-Modified', httpDate(latestMs(siblings)));
  const [only] = siblings;
  if (form === 'value' && only !== undefined) {
    sendValue(exchange, headers, only);
    return;
  }
  headers.push('Vary', 'Accept');
  const { contentType, body } =
    form === 'multipart' ? siblingsMultipart(siblings) : { contentType: JSON_TYPE, body: siblingsJson(siblings) };
  headers.push('Content-Type', contentType);
  sendBytes(exchange, 300, headers, body);
}

function sendValue(exchange: Exchange, headers: FlatHeaders, sibling: SiblingView): void {
  headers.push('Content-Type', sibling.contentType === '' ? DEFAULT_CONTENT_TYPE : sibling.contentType);
  for (const [name, value] of sibling.meta) headers.push(`Quorate-Meta-${name}`, value);
  sendBytes(exchange, 200, headers, sibling.value);
}

function sendNotFound(exchange: Exchange, headers: FlatHeaders, { quorum, explanation }: GetResult): void {
  headers.push('Content-Type', PROBLEM_TYPE);
  const fault: Fault = {
    code: 'not-found',
    message: 'nothing is there under this key',
    details: { epoch: quorum.epoch, ...(explanation === undefined ? {} : { explain: explanation }) },
  };
  sendBytes(exchange, 404, headers, Buffer.from(problemText(fault, exchange.path)));
}

function latestMs(siblings: readonly SiblingView[]): number {
  return siblings.reduce((latest, sibling) => Math.max(latest, sibling.stampMs), 0);
}
