/**
 * Calls per second between two processes over the loopback interface: how much the transport and the calls cost.
 *
 * `node dist/bench/rpc-echo.js [inFlight] [bodyBytes] [seconds]`, by default 64 in flight, 150 bytes both ways, 5 s.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { NodeId } from '../src/core/ids.ts';
import { nodeId } from '../src/core/ids.ts';
import { Calls } from '../src/rpc/calls.ts';
import type { RequestHandler } from '../src/rpc/incoming.ts';
import { TcpTransport } from '../src/rpc/tcp-transport.ts';
import { memoryLogger, realClock, seededRandom } from '../src/rpc/test-ports.ts';

const ECHO = 1;
const HOST = '127.0.0.1';
const WARM_UP_MS = 1_000;
const TIMEOUT_MS = 2_000;

interface Node {
  readonly transport: TcpTransport;
  readonly calls: Calls;
}

async function startNode(name: string, onConnected: (peer: NodeId) => void): Promise<Node> {
  const ports = { clock: realClock, random: seededRandom(process.pid), logger: memoryLogger() };
  const transport = new TcpTransport({ cluster: 'bench', node: nodeId(name), host: HOST, port: 0, ...ports });
  const echo: RequestHandler = (body, request) => request.reply(body.rest());
  const calls = new Calls({ transport, ...ports, requests: new Map([[ECHO, echo]]), notices: new Map(), onConnected });
  await calls.start();
  return { transport, calls };
}

async function server(): Promise<void> {
  const { transport, calls } = await startNode('server', () => process.send?.('connected'));
  process.on('message', (clientPort) => {
    if (typeof clientPort === 'number') {
      transport.setPeers(new Map([[nodeId('client'), { host: HOST, port: clientPort }]]));
    } else {
      process.send?.(process.cpuUsage());
    }
  });
  process.once('disconnect', () => void calls.stop());
  process.send?.(transport.port);
}

interface Run {
  readonly perSecond: number;
  readonly failed: number;
  readonly latenciesMs: readonly number[];
}

/** Keeps `inFlight` calls going for `durationMs`. One call in 64 is timed. */
async function run(calls: Calls, inFlight: number, body: Uint8Array, durationMs: number): Promise<Run> {
  const begin = performance.now();
  const latenciesMs: number[] = [];
  let done = 0;
  let failed = 0;
  const lane = async (timed: boolean): Promise<void> => {
    for (let now = begin; now < begin + durationMs; now = performance.now()) {
      const outcome = await calls.request(nodeId('server'), ECHO, body, TIMEOUT_MS);
      if (outcome.kind !== 'reply' || outcome.body.remaining !== body.length) failed++;
      done++;
      if (timed) latenciesMs.push(performance.now() - now);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, index) => lane(index % 64 === 0)));
  return { perSecond: (done * 1_000) / (performance.now() - begin), failed, latenciesMs };
}

async function client(inFlight: number, bodyBytes: number, seconds: number): Promise<void> {
  let resolveConnected = () => {};
  const connected = new Promise<void>((resolve) => {
    resolveConnected = resolve;
  });
  const { transport, calls } = await startNode('client', () => resolveConnected());
  const child = fork(fileURLToPath(import.meta.url), ['server'], { stdio: 'inherit' });
  const [serverPort] = await once(child, 'message');
  transport.setPeers(new Map([[nodeId('server'), { host: HOST, port: Number(serverPort) }]]));
  child.send(transport.port);
  await Promise.all([connected, once(child, 'message')]);

  const body = new Uint8Array(bodyBytes).fill(7);
  const childCpuMs = async () => {
    child.send('cpu');
    const [usage] = await once(child, 'message');
    return (usage.user + usage.system) / 1_000;
  };
  await run(calls, inFlight, body, WARM_UP_MS);
  const [ownBefore, otherBefore] = [process.cpuUsage(), await childCpuMs()];
  const result = await run(calls, inFlight, body, seconds * 1_000);
  const own = process.cpuUsage(ownBefore);
  const otherMs = (await childCpuMs()) - otherBefore;
  report(inFlight, bodyBytes, seconds, result, (own.user + own.system) / 1_000, otherMs);
  child.disconnect();
  await calls.stop();
}

function report(
  inFlight: number,
  bodyBytes: number,
  seconds: number,
  result: Run,
  ownMs: number,
  otherMs: number,
): void {
  const total = result.perSecond * seconds;
  const sorted = [...result.latenciesMs].sort((a, b) => a - b);
  const percentile = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(3);
  console.log(
    `${inFlight} in flight, ${bodyBytes} bytes: ${Math.round(result.perSecond)} calls/s, ${result.failed} failed`,
  );
  console.log(`latency p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms`);
  console.log(
    `CPU per call: caller ${((ownMs * 1_000) / total).toFixed(2)} us, callee ${((otherMs * 1_000) / total).toFixed(2)} us`,
  );
}

if (process.argv[2] === 'server') await server();
else await client(Number(process.argv[2] ?? 64), Number(process.argv[3] ?? 150), Number(process.argv[4] ?? 5));
