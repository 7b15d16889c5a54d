import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { StoreError } from '../errors.ts';
import { bucketHandler, bucketsHandler } from './bucket-routes.ts';
import {
  catchUpHandler,
  clusterHandler,
  hintsHandler,
  ringHandler,
  settingsHandler,
  syncHandler,
} from './cluster-routes.ts';
import type { Edge } from './edge.ts';
import type { Exchange } from './exchange.ts';
import { byMethod, notSupportedYet } from './methods.ts';
import { healthHandler, metricsHandler, readyHandler, versionHandler } from './ops-routes.ts';
import type { Handler, RequestRunner } from './request-runner.ts';

/** The exchange is the environment of Hono's context: handlers answer on Node's own response, and Hono only finds them. */
export type App = Hono<{ Bindings: Exchange }>;

/**
 * The route table, of all but keys and values: those are found before, in `server.ts`. One handler per path, whatever the method:
 * two that match would make Hono compose them, a promise each.
 * Paths are the sent ones: keys must not be decoded or normalised before they are taken apart.
 */
export function createRoutes(edge: Edge, runner: RequestRunner): App {
  const app: App = new Hono({ getPath: (_request, options) => options?.env?.path ?? '/' });
  const route = (path: string, handler: Handler): void => {
    app.all(path, (context) => {
      runner.run(context.env, handler);
      return RESPONSE_ALREADY_SENT;
    });
  };
  route('/v1/buckets/:bucket', bucketHandler(edge));
  route('/v1/buckets', bucketsHandler(edge));
  route('/v1/cluster', clusterHandler(edge));
  route('/v1/cluster/settings', settingsHandler(edge));
  route('/v1/cluster/ring', ringHandler(edge));
  route('/v1/cluster/sync', syncHandler(edge));
  route('/v1/cluster/catch-up', catchUpHandler(edge));
  route('/v1/cluster/hints', hintsHandler(edge));
  route('/v1/version', versionHandler(edge));
  route('/healthz', healthHandler(edge));
  route('/readyz', readyHandler(edge));
  route('/metrics', metricsHandler(edge));
  for (const [path, methods] of RESERVED) {
    const handler = notSupportedYet(path.replace('/:bucket', ''));
    route(path, byMethod(Object.fromEntries(methods.map((method) => [method, handler]))));
  }
  app.notFound((context) => {
    runner.run(context.env, unknownRoute);
    return RESPONSE_ALREADY_SENT;
  });
  return app;
}

/** Routes of the contract that are not built yet. */
const RESERVED: readonly (readonly [path: string, methods: readonly string[]])[] = [
  ['/v1/batch/:bucket', ['POST']],
  ['/v1/cluster/plan', ['GET', 'POST', 'DELETE']],
  ['/v1/cluster/apply', ['POST']],
  ['/v1/cluster/transfers', ['GET']],
];

const unknownRoute: Handler = async () => {
  throw new StoreError('not-found', 'there is no such route');
};
