import { Counter, Gauge, type Registry } from 'prom-client';

/** Upper bounds of the latency classes, in seconds; the last class has none. */
const BOUNDS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const METHODS: readonly string[] = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'other'];
/** Statuses are below this; 0 stands for a client that went away. */
const STATUSES = 600;

/**
 * The edge's metrics: plain numbers while requests run, handed to prom-client only when somebody asks, since its own counters cost
 * a hash of the labels each time.
 */
export class HttpMetrics {
  private readonly requests = new Float64Array(METHODS.length * STATUSES);
  private readonly latency = METHODS.map(() => ({ classes: new Float64Array(BOUNDS_S.length + 1), sumS: 0 }));

  constructor(registry: Registry, now: () => { readonly inFlight: number; readonly bodyBytes: number }) {
    this.registerRequests(registry);
    this.registerLatency(registry);
    gauge(registry, 'quorate_http_requests_in_flight', 'Requests being served.', () => now().inFlight);
    gauge(
      registry,
      'quorate_http_body_bytes',
      'Bytes of request bodies and untaken answers in memory.',
      () => now().bodyBytes,
    );
  }

  count(method: string, status: number, tookMs: number): void {
    const index = methodIndex(method);
    const cell = index * STATUSES + status;
    this.requests[cell] = (this.requests[cell] ?? 0) + 1;
    const latency = this.latency[index];
    if (latency === undefined) return;
    const tookS = tookMs / 1000;
    let bucket = 0;
    while (bucket < BOUNDS_S.length && tookS > (BOUNDS_S[bucket] ?? 0)) bucket++;
    latency.classes[bucket] = (latency.classes[bucket] ?? 0) + 1;
    latency.sumS += tookS;
  }

  private registerRequests(registry: Registry): void {
    const { requests } = this;
    new Counter({
      name: 'quorate_http_requests_total',
      help: 'Requests answered, by method and status; status 0: the client went away first.',
      labelNames: ['method', 'status'],
      registers: [registry],
      collect() {
        this.reset();
        requests.forEach((value, cell) => {
          const method = METHODS[Math.floor(cell / STATUSES)] ?? 'other';
          if (value > 0) this.inc({ method, status: cell % STATUSES }, value);
        });
      },
    });
  }

  private registerLatency(registry: Registry): void {
    const { latency } = this;
    new Counter({
      name: 'quorate_http_request_seconds_bucket',
      help: 'Requests by the time from their head to their answer, cumulative over the upper bound le.',
      labelNames: ['method', 'le'],
      registers: [registry],
      collect() {
        this.reset();
        latency.forEach(({ classes }, index) => {
          let below = 0;
          classes.forEach((value, bucket) => {
            below += value;
            this.inc({ method: METHODS[index] ?? 'other', le: String(BOUNDS_S[bucket] ?? '+Inf') }, below);
          });
        });
      },
    });
    new Counter({
      name: 'quorate_http_request_seconds_sum',
      help: 'The times from head to answer, added up.',
      labelNames: ['method'],
      registers: [registry],
      collect() {
        this.reset();
        latency.forEach(({ sumS }, index) => {
          this.inc({ method: METHODS[index] ?? 'other' }, sumS);
        });
      },
    });
  }
}

function methodIndex(method: string): number {
  const index = METHODS.indexOf(method);
  return index < 0 ? METHODS.length - 1 : index;
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
