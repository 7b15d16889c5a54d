import type { Registry } from 'prom-client';
import type { StoreApi } from '../coordinator/api.ts';
import type { NodeId } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Clock, Logger, Random } from '../ports.ts';
import type { FlatHeaders } from './answer.ts';
import type { HttpLimits } from './http-limits.ts';
import { HttpMetrics } from './http-metrics.ts';
import { BodyBudget } from './request-body.ts';

export interface EdgeOptions {
  readonly api: StoreApi;
  readonly node: NodeId;
  readonly limits: HttpLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The product's version, as `/v1/version` tells it. */
  readonly version: string;
  /** Where the metrics of the whole node are; `/metrics` prints it. */
  readonly metrics: Registry;
}

/** What all requests of one server share. */
export class Edge {
  readonly options: EdgeOptions;
  readonly api: StoreApi;
  readonly budget: BodyBudget;
  readonly metrics: HttpMetrics;
  /** Requests that are begun and not answered; those that wait for others of their connection are not. */
  inFlight = 0;
  draining = false;
  private hasBeenReady = false;

  constructor(options: EdgeOptions) {
    this.options = options;
    this.api = options.api;
    this.budget = new BodyBudget(options.limits.bodyBytes);
    this.metrics = new HttpMetrics(options.metrics, () => ({
      inFlight: this.inFlight,
      bodyBytes: this.budget.heldBytes,
    }));
  }

  /** The headers that every answer has, to be added to. */
  newHeaders(): FlatHeaders {
    const headers = [
      'Quorate-Node',
      this.options.node,
      'Cache-Control',
      'no-cache',
      'X-Content-Type-Options',
      'nosniff',
    ];
    if (this.draining) headers.push('Connection', 'close');
    return headers;
  }

  /** What is missing, for a person. Readiness is reached once and then stays: later troubles are each request's own to tell. */
  notReady(): string | undefined {
    if (this.hasBeenReady) return undefined;
    const missing = this.api.notReady();
    this.hasBeenReady = missing === undefined;
    return missing;
  }

  /** Errors: `not-ready`, `overloaded`. */
  admit(): void {
    const missing = this.notReady();
    if (missing !== undefined) throw new StoreError('not-ready', missing);
    if (this.inFlight > this.options.limits.requests) {
      throw new StoreError('overloaded', `${this.options.limits.requests} requests are already being served`);
    }
  }
}
