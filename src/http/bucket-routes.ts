import { z } from 'zod';
import type { BucketProperties } from '../core/cluster/cluster-state.ts';
import { sendEmpty, sendJson } from './answer.ts';
import type { Edge } from './edge.ts';
import type { Exchange } from './exchange.ts';
import { readJson } from './json-body.ts';
import { changeTimeoutMs } from './kv-parameters.ts';
import { levelSchema, reservedLevel } from './level-schema.ts';
import { byMethod, refuseBody } from './methods.ts';
import { readQuery } from './query.ts';
import type { Handler } from './request-runner.ts';
import { decodeBucket } from './request-target.ts';

const BUCKETS = '/v1/buckets/';

/** `/v1/buckets/{bucket}`: its properties as they take effect, and their replacement. */
export function bucketHandler(edge: Edge): Handler {
  return byMethod({
    GET: async (exchange) => {
      const bucket = bucketOf(exchange);
      readQuery(exchange.query, []);
      refuseBody(exchange);
      sendJson(exchange, edge.newHeaders(), edge.api.bucket(bucket));
    },
    PUT: async (exchange) => {
      const bucket = bucketOf(exchange);
      const timeoutMs = changeTimeoutMs(exchange.query) ?? edge.options.limits.requestTimeoutMs;
      const properties = await readJson(edge, exchange, propertiesSchema(edge), reservedProperty);
      await edge.api.putBucket(bucket, properties, timeoutMs);
      sendEmpty(exchange, 204, edge.newHeaders());
    },
  });
}

/** `/v1/buckets`: those with properties of their own. */
export function bucketsHandler(edge: Edge): Handler {
  return byMethod({
    GET: async (exchange) => {
      readQuery(exchange.query, []);
      refuseBody(exchange);
      sendJson(exchange, edge.newHeaders(), { buckets: edge.api.buckets() });
    },
  });
}

function bucketOf(exchange: Exchange): string {
  return decodeBucket(exchange.path.slice(BUCKETS.length));
}

function propertiesSchema(edge: Edge): z.ZodType<BucketProperties> {
  const level = levelSchema(edge.api.cluster().n);
  const { valueBytes } = edge.options.limits;
  return z.strictObject({
    r: level.exactOptional(),
    w: level.exactOptional(),
    conflict: z.literal('siblings').exactOptional(),
    valueBytes: z.int().min(1).max(valueBytes).exactOptional(),
  });
}

function reservedProperty(body: object): string | undefined {
  if ('ttl' in body) return 'ttl';
  if ('conflict' in body && body.conflict === 'lww') return 'conflict';
  return reservedLevel(body);
}
