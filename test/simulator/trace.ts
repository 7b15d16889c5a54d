import { ByteReader, DecodeError } from '../../src/core/bytes.ts';
import type { NodeId } from '../../src/core/ids.ts';
import { METHOD } from '../../src/protocol.ts';
import type { Fate } from './simulated-network.ts';

const METHOD_NAMES = new Map<number, string>(Object.entries(METHOD).map(([name, number]) => [number, name]));
const ENVELOPES = ['notice', 'request', 'reply', 'failure'];

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
    const how =
      fate === 'delivered' || fate === 'late'
        ? `${fate === 'late' ? 'late, ' : ''}arrives in ${delayMs.toFixed(1)} ms`
        : fate;
    this.say(nowMs, `${from}>${to}`, `${what} (${bytes.length} bytes; ${how})`);
  }

  text(): string {
    return this.lines.slice(-this.linesMax).join('\n');
  }
}

function describe(bytes: Uint8Array): string {
  try {
    const reader = new ByteReader(bytes);
    const kind = reader.u8();
    const name = ENVELOPES[kind] ?? '?';
    if (name === 'notice') return `notice ${METHOD_NAMES.get(reader.u8()) ?? '?'}`;
    reader.u32();
    const id = reader.varint();
    return name === 'request' ? `request ${METHOD_NAMES.get(reader.u8()) ?? '?'} #${id}` : `${name} #${id}`;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return 'unreadable';
  }
}
