import type { NodeId } from '../../src/core/ids.ts';
import { messageKind } from './message-kind.ts';
import type { Fate } from './simulated-network.ts';

/** What happened, readable: the last lines before a failure. Kept only where somebody asks, since it costs most of the time. */
export class Trace {
  private readonly lines: string[] = [];
  private readonly linesMax: number;
  private readonly withHeartbeats: boolean;

  constructor(linesMax: number, withHeartbeats = false) {
    this.linesMax = linesMax;
    this.withHeartbeats = withHeartbeats;
  }

  say(nowMs: number, who: string, text: string): void {
    this.lines.push(`${nowMs.toFixed(2).padStart(10)}  ${who.padEnd(10)} ${text}`);
    if (this.lines.length > 2 * this.linesMax) this.lines.splice(0, this.lines.length - this.linesMax);
  }

  log(nowMs: number, id: NodeId, level: string, message: string, fields: object): void {
    this.say(nowMs, id, `${level}: ${message} ${JSON.stringify(fields)}`);
  }

  message(nowMs: number, from: NodeId, to: NodeId, bytes: Uint8Array, fate: Fate, delayMs: number): void {
    const what = describe(bytes);
    if (!this.withHeartbeats && (what === 'notice heartbeat' || what === 'notice raft')) return;
    const arrival = `arrives in ${delayMs.toFixed(1)} ms`;
    const how = fate === 'delivered' ? arrival : isOnItsWay(fate) ? `${fate}, ${arrival}` : fate;
    this.say(nowMs, `${from}>${to}`, `${what} (${bytes.length} bytes; ${how})`);
  }

  text(): string {
    return this.lines.slice(-this.linesMax).join('\n');
  }
}

function isOnItsWay(fate: Fate): boolean {
  return fate === 'late' || fate === 'repeated' || fate === 'corrupted';
}

function describe(bytes: Uint8Array): string {
  const kind = messageKind(bytes);
  if (kind === undefined) return 'unreadable';
  return [kind.envelope, kind.method, kind.id === undefined ? undefined : `#${kind.id}`]
    .filter((part) => part !== undefined)
    .join(' ');
}
