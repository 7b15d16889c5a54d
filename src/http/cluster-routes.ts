import { z } from 'zod';
import type { ClusterSettings } from '../core/cluster/cluster-state.ts';
import { sendEmpty, sendJson } from './answer.ts';
import type { Edge } from './edge.ts';
import { readJson } from './json-body.ts';
import { changeTimeoutMs } from './kv-parameters.ts';
import { levelSchema, reservedLevel } from './level-schema.ts';
import { byMethod, refuseBody } from './methods.ts';
import { badParameter, readQuery } from './query.ts';
import type { Handler } from './request-runner.ts';
import { decodeBucket, decodeKey } from './request-target.ts';

/** `/v1/cluster`: who is a member, and how this node sees them. */
export function clusterHandler(edge: Edge): Handler {
  return byMethod({
    GET: async (exchange) => {
      readQuery(exchange.query, []);
      refuseBody(exchange);
      sendJson(exchange, edge.newHeaders(), edge.api.cluster());
    },
  });
}

/** `/v1/cluster/sync`: where the owners of a partition were last found to differ. */
export function syncHandler(edge: Edge): Handler {
  return byMethod({
    GET: async (exchange) => {
      readQuery(exchange.query, []);
      refuseBody(exchange);
      sendJson(exchange, edge.newHeaders(), edge.api.sync());
    },
  });
}

/** `/v1/cluster/catch-up`: what this node has to catch up with before it serves it again; POST excepts a dead owner from that. */
export function catchUpHandler(edge: Edge): Handler {
  return byMethod({
    GET: async (exchange) => {
      readQuery(exchange.query, []);
      refuseBody(exchange);
      sendJson(exchange, edge.newHeaders(), edge.api.catchUp());
    },
    POST: async (exchange) => {
      readQuery(exchange.query, []);
      const { except } = await readJson(edge, exchange, z.strictObject({ except: z.string() }), () => undefined);
      sendJson(exchange, edge.newHeaders(), await edge.api.exceptOwner(except));
    },
  });
}

/** `/v1/cluster/settings`: changes the named ones. */
export function settingsHandler(edge: Edge): Handler {
  return byMethod({
    PUT: async (exchange) => {
      const timeoutMs = changeTimeoutMs(exchange.query) ?? edge.options.limits.requestTimeoutMs;
      const settings = await readJson(edge, exchange, settingsSchema(edge), reservedLevel);
      await edge.api.putSettings(settings, timeoutMs);
      sendEmpty(exchange, 204, edge.newHeaders());
    },
  });
}

/** `/v1/cluster/ring`: who owns what; with `?bucket=&key=`, where one key is. */
export function ringHandler(edge: Edge): Handler {
  return byMethod({
    GET: async (exchange) => {
      const given = readQuery(exchange.query, ['bucket', 'key'], 'raw');
      refuseBody(exchange);
      const [bucket, key] = [given.get('bucket'), given.get('key')];
      if (bucket === undefined && key === undefined) return sendJson(exchange, edge.newHeaders(), edge.api.ring());
      if (bucket === undefined) throw badParameter('bucket', 'goes with key');
      if (key === undefined) throw badParameter('key', 'goes with bucket');
      sendJson(exchange, edge.newHeaders(), edge.api.ringOf(decodeBucket(bucket), decodeKey(key)));
    },
  });
}

/** `/v1/cluster/hints`: what this node keeps for others that are away. */
export function hintsHandler(edge: Edge): Handler {
  return byMethod({
    GET: async (exchange) => {
      readQuery(exchange.query, []);
      refuseBody(exchange);
      sendJson(exchange, edge.newHeaders(), edge.api.hints());
    },
  });
}

function settingsSchema(edge: Edge): z.ZodType<Partial<ClusterSettings>> {
  const level = levelSchema(edge.api.cluster().n);
  return z
    .strictObject({
      r: level.exactOptional(),
      w: level.exactOptional(),
      durability: z.enum(['flush', 'os']).exactOptional(),
    })
    .refine((settings) => Object.keys(settings).length > 0, { error: 'names no setting: r, w or durability' });
}
