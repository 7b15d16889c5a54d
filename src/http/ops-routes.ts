import { StoreError } from '../errors.ts';
import { sendBytes, sendJson } from './answer.ts';
import type { Edge } from './edge.ts';
import { byMethod } from './methods.ts';
import { readQuery } from './query.ts';
import type { Handler } from './request-runner.ts';

/** `/healthz`: the process runs and answers. */
export function healthHandler(edge: Edge): Handler {
  return byMethod({
    GET: async (exchange) => {
      readQuery(exchange.query, []);
      sendJson(exchange, edge.newHeaders(), { status: 'ok' });
    },
  });
}

/** `/readyz`: 200 once the node has been ready, 503 before and while it drains. */
export function readyHandler(edge: Edge): Handler {
  return byMethod({
    GET: async (exchange) => {
      readQuery(exchange.query, []);
      const missing = edge.draining ? 'the node is draining' : edge.notReady();
      if (missing !== undefined) throw new StoreError('not-ready', missing);
      sendJson(exchange, edge.newHeaders(), { status: 'ready' });
    },
  });
}

/** `/metrics`, in Prometheus' text format. */
export function metricsHandler(edge: Edge): Handler {
  const { metrics } = edge.options;
  return byMethod({
    GET: async (exchange) => {
      readQuery(exchange.query, []);
      const text = await metrics.metrics();
      const headers = edge.newHeaders();
      headers.push('Content-Type', metrics.contentType);
      sendBytes(exchange, 200, headers, Buffer.from(text));
    },
  });
}

/** `/v1/version`. */
export function versionHandler(edge: Edge): Handler {
  return byMethod({
    GET: async (exchange) => {
      readQuery(exchange.query, []);
      sendJson(exchange, edge.newHeaders(), { version: edge.options.version });
    },
  });
}
