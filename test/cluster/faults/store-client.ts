import { Agent } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Dice } from '../../simulator/chance.ts';
import { type Answer, headerOf, jsonOf, type Sent, send } from '../http-request.ts';
import type { RealCluster } from '../real-cluster.ts';
import type { Ledger, OpenWrite, Outcome } from './ledger.ts';

/** What a client knows of a key: the context to send, and the writes that it was shown with it. */
interface Known {
  readonly context: string;
  readonly seen: readonly string[];
}

export interface ClientNeeds {
  readonly cluster: RealCluster;
  readonly ledger: Ledger;
  readonly dice: Dice;
  /** Answers that no fault explains. */
  readonly surprised: (text: string) => void;
}

/** Shared keys per role and quorum. */
const KEYS = 6;
const THINK_MS_MAX = 40;
/** A client gives up later than any request's deadline: what it asked a node that stands still remains unknown. */
const GIVE_UP_MS = 3000;
const REMEMBERED = 50;
const LARGE_BYTES = 20_000;

export const BUCKET = 'faults';

/**
 * One client, which sends one request after another to nodes drawn at random.
 *
 * Shared keys have roles: `rmw` keys are read and then written with what was read, `blind` keys written and deleted without a context,
 * `mixed` keys both. Half of each are strict: owners alone count. `once` keys are written a single time, and some of them deleted.
 */
export class StoreClient {
  private readonly name: string;
  private readonly needs: ClientNeeds;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly known = new Map<string, Known>();
  private readonly onceKeys: string[] = [];
  private written = 0;

  constructor(name: string, needs: ClientNeeds) {
    this.name = name;
    this.needs = needs;
  }

  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.turn();
      await wait(this.needs.dice.next() * THINK_MS_MAX);
    }
    this.agent.destroy();
  }

  private async turn(): Promise<void> {
    const { dice } = this.needs;
    const role = dice.pick(['rmw', 'rmw', 'rmw', 'blind', 'blind', 'mixed', 'mixed', 'mixed', 'once', 'once']);
    if (role === 'once') return this.once();
    const key = `${role}-${dice.pick(['strict', 'sloppy'])}-${dice.whole(1, KEYS)}`;
    const isBlind = role === 'blind' || (role === 'mixed' && dice.chance(0.3));
    if (isBlind) await (dice.chance(0.2) ? this.write(key, 'delete') : this.write(key, 'put'));
    else await this.readAndWrite(key);
    if (dice.chance(0.3)) await this.read(key);
  }

  /** Sometimes with what an earlier answer told, which may be outdated by now: then the write is a sibling. */
  private async readAndWrite(key: string): Promise<void> {
    const { dice } = this.needs;
    const remembered = this.known.get(key);
    const known = remembered !== undefined && dice.chance(0.3) ? remembered : await this.read(key);
    if (known !== undefined) await this.write(key, dice.chance(0.15) ? 'delete' : 'put', known);
  }

  private async once(): Promise<void> {
    const { dice } = this.needs;
    const oldest = this.onceKeys[0];
    if (oldest === undefined || dice.chance(0.7)) {
      const key = `once-${dice.pick(['strict', 'sloppy'])}-${this.name}-${this.written}`;
      await this.write(key, 'put');
      if (this.known.has(key) && dice.chance(0.5)) this.onceKeys.push(key);
    } else {
      const known = dice.chance(0.5) ? await this.read(oldest) : this.known.get(oldest);
      if (known === undefined) return;
      await this.write(oldest, 'delete', known);
      this.onceKeys.shift();
    }
  }

  private async read(key: string): Promise<Known | undefined> {
    const strict = isStrict(key);
    const ended = this.needs.ledger.beginRead(strict, key);
    const query = `r=quorum${strict ? '&sloppy=false' : ''}`;
    const answer = await this.ask(key, query, {}).catch(() => undefined);
    const known = answer === undefined ? undefined : this.shownBy(answer);
    ended(known?.seen);
    if (known !== undefined) this.remember(key, known);
    return known;
  }

  private shownBy(answer: Answer): Known | undefined {
    if (isShowing(answer)) return { context: headerOf(answer, 'causal-context'), seen: shownIds(answer) };
    if (![429, 503, 504].includes(answer.status)) this.needs.surprised(describe('GET', answer));
    return undefined;
  }

  private async write(key: string, kind: 'put' | 'delete', known?: Known): Promise<void> {
    const { ledger, dice } = this.needs;
    const id = `${this.name}-${this.written++}`;
    const write: OpenWrite = { id, key, kind, isBlind: known === undefined, seen: known?.seen ?? [] };
    const strict = isStrict(key);
    const query = strict ? 'w=quorum&sloppy=false' : `w=${dice.pick(['one', 'quorum'])}`;
    const method = kind === 'put' ? 'PUT' : 'DELETE';
    const sent: Sent = {
      method,
      ...(known !== undefined && { headers: { 'Causal-Context': known.context } }),
      ...(kind === 'put' && { body: textOf(write, dice.chance(0.02) ? LARGE_BYTES : 0) }),
    };
    const ended = ledger.beginWrite(strict, write);
    const answer = await this.ask(key, query, sent).catch((error: unknown) => error);
    const outcome = outcomeOf(answer);
    ended(outcome ?? 'unknown');
    if (outcome === undefined && isAnswer(answer)) this.needs.surprised(describe(method, answer));
    if (outcome !== 'acknowledged' || !isAnswer(answer)) return;
    const seen = kind === 'put' ? [...write.seen, id] : write.seen;
    this.remember(key, { context: headerOf(answer, 'causal-context'), seen });
  }

  private remember(key: string, known: Known): void {
    this.known.delete(key);
    this.known.set(key, known);
    const [oldest] = this.known.keys();
    if (this.known.size > REMEMBERED && oldest !== undefined) this.known.delete(oldest);
  }

  private ask(key: string, query: string, sent: Sent): Promise<Answer> {
    const { cluster, dice } = this.needs;
    const timeout = dice.pick(['500ms', '1s', '2s']);
    const port = cluster.httpPort(dice.pick(cluster.ids));
    const options = { ...sent, agent: this.agent, withinMs: GIVE_UP_MS };
    return send(port, `/v1/kv/${BUCKET}/${key}?${query}&timeout=${timeout}`, options);
  }
}

/** Where the key's own name says so, owners alone count in each of its requests. */
function isStrict(key: string): boolean {
  return key.includes('-strict-');
}

/** Whether more than one client writes the key. */
export function isShared(key: string): boolean {
  return !key.startsWith('once-');
}

/** The value names the write and what its client had seen. */
function textOf({ id, seen }: OpenWrite, bytes: number): string {
  return JSON.stringify({ id, seen, filler: 'x'.repeat(bytes) });
}

/** Whether the answer of a read shows what is there: one value, several, or nothing. */
export function isShowing({ status }: Answer): boolean {
  return status === 200 || status === 300 || status === 404;
}

/** The writes whose values an answer shows. */
export function shownIds(answer: Answer): readonly string[] {
  if (answer.status === 404) return [];
  if (answer.status === 200) return [idOf(answer.body.toString())];
  const { siblings } = jsonOf(answer);
  if (!Array.isArray(siblings)) throw new Error(`expected siblings, got ${answer.body}`);
  return siblings.map(({ value }: { value: string }) => idOf(value));
}

/** A value that is none of ours is an id that nobody has written: the checker finds it. */
function idOf(value: string): string {
  const [, id] = /^\{"id":"([^"]+)","seen":\[/.exec(value) ?? [];
  return id ?? `something else: ${value.slice(0, 100)}`;
}

/** What a write's answer, or the error instead of one, says of it; undefined when it should not have been such an answer. */
function outcomeOf(answer: unknown): Outcome | undefined {
  if (!isAnswer(answer)) return (answer as { code?: unknown }).code === 'ECONNREFUSED' ? 'refused' : 'unknown';
  if (answer.status === 204) return 'acknowledged';
  const { outcome, code } = jsonOf(answer);
  if (answer.status === 504 && outcome === 'unknown') return 'unknown';
  const isRefused = outcome === 'not_applied' || code === 'not-ready' || code === 'overloaded';
  return isRefused && [409, 429, 503].includes(answer.status) ? 'refused' : undefined;
}

function isAnswer(answer: unknown): answer is Answer {
  return typeof answer === 'object' && answer !== null && 'status' in answer;
}

function describe(method: string, { status, body }: Answer): string {
  return `${method} was answered ${status}: ${body.toString().slice(0, 300)}`;
}
