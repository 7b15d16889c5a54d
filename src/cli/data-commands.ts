import { isUtf8 } from 'node:buffer';
import { buffer } from 'node:stream/consumers';
import type { AnswerFacts, PutOptions, QuorateClient, ReadResult, WriteResult } from '../client/quorate-client.ts';
import type { QuorumLevel } from '../core/quorum/quorum-spec.ts';
import { EXIT } from './exit-codes.ts';
import { print, say } from './terminal.ts';

export interface OutputOptions {
  /** `context: TOKEN` on stderr. */
  readonly showContext?: true;
  /** One JSON document on stdout instead of the value. */
  readonly json?: true;
}

export interface GetOptions extends OutputOptions {
  readonly r?: QuorumLevel;
  readonly pr?: QuorumLevel;
  readonly sloppy?: boolean;
  readonly timeout?: number;
  readonly dot?: string;
}

export interface WriteOptions extends OutputOptions {
  readonly w?: QuorumLevel;
  readonly pw?: QuorumLevel;
  readonly sloppy?: boolean;
  readonly timeout?: number;
  readonly context?: string;
  readonly contentType?: string;
  readonly meta?: Readonly<Record<string, string>>;
}

/** Each command returns its exit code and throws `ClientError`. */
export async function get(client: QuorateClient, bucket: string, key: string, options: GetOptions): Promise<number> {
  const { timeout, r, pr, sloppy, dot } = options;
  const result = await client.get(bucket, key, { r, pr, sloppy, dot, timeoutMs: timeout });
  if (options.showContext) say(`context: ${result.context}`);
  if (options.json || result.kind === 'siblings') await print(`${JSON.stringify(readDocument(result))}\n`);
  else if (result.kind === 'value') await print(result.value);
  else say(`nothing under ${bucket}/${key}`);
  return { value: EXIT.ok, siblings: EXIT.siblings, missing: EXIT.notFound }[result.kind];
}

/** Without `value` it is read from stdin to the end. */
export async function put(
  client: QuorateClient,
  bucket: string,
  key: string,
  value: string | undefined,
  options: WriteOptions,
): Promise<number> {
  const bytes = value ?? (await buffer(process.stdin));
  return report(await client.put(bucket, key, bytes, writeFields(options)), options);
}

export async function remove(
  client: QuorateClient,
  bucket: string,
  key: string,
  options: WriteOptions,
): Promise<number> {
  return report(await client.delete(bucket, key, writeFields(options)), options);
}

/** The server's listing as it came, one JSON document. */
export async function list(client: QuorateClient, bucket: string): Promise<number> {
  await print(`${JSON.stringify(await client.list(bucket))}\n`);
  return EXIT.ok;
}

async function report({ context, facts }: WriteResult, options: OutputOptions): Promise<number> {
  if (options.showContext) say(`context: ${context}`);
  if (options.json) await print(`${JSON.stringify({ context, ...facts })}\n`);
  return EXIT.ok;
}

function writeFields({ w, pw, sloppy, timeout, context, contentType, meta }: WriteOptions): PutOptions {
  return { w, pw, sloppy, timeoutMs: timeout, context, contentType, meta };
}

function readDocument(result: ReadResult): object {
  const { facts, ...rest } = result;
  if (rest.kind === 'missing') return { ...rest, ...facts };
  if (rest.kind === 'value') return jsonValue(rest, facts);
  return { ...rest, siblings: rest.siblings.map((sibling) => jsonValue(sibling, {})), ...facts };
}

/** As in the server's own documents: `value` whenever the bytes are UTF-8, else `valueBase64`. */
function jsonValue({ value, ...rest }: { readonly value: Uint8Array }, facts: AnswerFacts): object {
  const bytes = Buffer.from(value);
  const text = isUtf8(bytes) ? { value: bytes.toString('utf8') } : { valueBase64: bytes.toString('base64') };
  return { ...rest, ...text, ...facts };
}
