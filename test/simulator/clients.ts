import type { GetResult, QuorumReport, SiblingView, StoreApi, WriteResult } from '../../src/coordinator/api.ts';
import { openContext } from '../../src/core/causality/context-token.ts';
import type { Dot } from '../../src/core/causality/dot.ts';
import type { DotSet } from '../../src/core/causality/dot-set.ts';
import { bucketOf, keyOf, type ObjectKey, objectKey } from '../../src/core/ids.ts';
import type { QuorumLevel } from '../../src/core/quorum/quorum-spec.ts';
import { StoreError } from '../../src/errors.ts';
import { tokenMacs } from '../../src/system/token-mac.ts';
import { roll } from './chance.ts';
import type { Answer, Request, Siblings } from './history.ts';
import { LABEL } from './labels.ts';
import type { Machine } from './machine.ts';
import type { Operation } from './plan.ts';
import type { Simulation } from './simulation.ts';

/** A register in the metadata group: a bucket's property, written and read afresh. */
export interface RegisterCall {
  readonly client: number;
  readonly invokedMs: number;
  completedMs: number | undefined;
  /** `undefined` output of a write: unknown. */
  readonly call: { readonly kind: 'write'; readonly value: number } | { readonly kind: 'read' };
  result:
    | { readonly kind: 'done' }
    | { readonly kind: 'value'; readonly value: number }
    | { readonly kind: 'unknown' }
    | { readonly kind: 'failed' }
    | undefined;
}

const REGISTER = 'register';
/** The limit of configOf: what the register shows before it is first written. */
export const REGISTER_INITIAL = 4096;
/** Probes ask for the ordinary quorum, with time enough. */
const PROBE_TIMEOUT_MS = 5000;
const NO_OWNERS: QuorumLevel = 0;

/** Of so many requests one is explained. */
const EXPLAINED = 5;
const isExplained = (id: number): boolean => id % EXPLAINED === 0;

interface Known {
  readonly token: string;
}

/** The clients of a run: they send what the plan says and remember what they were told. */
export class Clients {
  readonly register: RegisterCall[] = [];
  readonly probes: Request[] = [];
  /** Requests whose answers came with an explanation. */
  readonly explained: { readonly request: Request; readonly result: GetResult | WriteResult }[] = [];
  private readonly simulation: Simulation;
  private readonly known = new Map<string, Known[]>();
  /** Per client and key: the dot of the last sibling it was shown. */
  private readonly shown = new Map<string, Dot>();
  private readonly opened = new Map<string, DotSet>();
  private macs: ReturnType<typeof tokenMacs> | undefined;
  private probeId = 1_000_000;

  constructor(simulation: Simulation) {
    this.simulation = simulation;
  }

  get longestMs(): number {
    return PROBE_TIMEOUT_MS;
  }

  run(operation: Operation): void {
    const machine = this.simulation.machine(operation.node);
    const api = machine.node?.api;
    // A process that does not run, or has never been ready, refuses the connection or says 503: nothing is sent to the store.
    if (api === undefined || machine.node?.membership.view === undefined)
      return this.simulation.tally.note('asked a node that is down');
    if (operation.kind === 'configure') this.configure(machine, operation);
    else if (operation.kind === 'inspect') this.inspect(machine, operation);
    else this.request(machine, api, operation);
  }

  /** After healing, every key must be readable and writable at every node. */
  probe(): void {
    const { plan, world } = this.simulation;
    // Not all keys at once: calls that wait for a peer are limited.
    for (let key = 0; key < plan.shape.keys; key++) world.schedule(key, LABEL.probe, () => this.probeKey(key));
  }

  /** Once all is mended: a read of every key, of all owners that are left, at one node or another. */
  lookAgain(): void {
    const { plan, world } = this.simulation;
    const { nodes, n } = plan.shape;
    const machines = this.simulation.machines.filter(({ isLost }) => !isLost);
    const level = Math.max(1, n - (nodes - machines.length));
    for (let key = 0; key < plan.shape.keys; key++) {
      const machine = machines[key % machines.length];
      if (machine !== undefined) world.schedule(key, LABEL.probe, () => this.probeAt(machine, key, 'get', level));
    }
  }

  private probeKey(key: number): void {
    for (const machine of this.simulation.machines) {
      if (machine.isLost) continue;
      for (const kind of ['get', 'put'] as const) this.probeAt(machine, key, kind, 'quorum');
    }
  }

  private probeAt(machine: Machine, key: number, kind: 'get' | 'put', level: QuorumLevel): void {
    if (machine.node === undefined) return;
    const operation: Operation = {
      ...{ id: this.probeId++, atMs: 0, client: 999, node: machine.index, key, kind },
      ...{ level, owners: NO_OWNERS, timeoutMs: PROBE_TIMEOUT_MS, context: 'seen' },
    };
    this.probes.push(this.request(machine, machine.node.api, operation));
  }

  private request(machine: Machine, api: StoreApi, operation: Operation): Request {
    const { history, world } = this.simulation;
    const key = objectKey('b', `k${operation.key}`);
    const token = operation.kind === 'get' ? undefined : this.tokenFor(operation, key);
    const sent = token === undefined ? undefined : this.open(key, token);
    const request: Request = {
      operation,
      key,
      node: machine.id,
      life: machine.lifeNumber,
      invokedMs: world.nowMs,
      sent,
      isForged: token !== undefined && sent === undefined,
      completedMs: undefined,
      answer: undefined,
    };
    history.begin(request);
    this.simulation.say(
      `client ${operation.client}`,
      () => `#${operation.id} ${operation.kind} ${keyOf(key)} at ${machine.id} ${operation.level} ${operation.context}`,
    );
    const done = operation.kind === 'get' ? this.get(api, request) : this.write(api, request, token);
    done.then(
      (answer) => this.complete(request, answer),
      (error: unknown) => this.complete(request, failure(error)),
    );
    return request;
  }

  private async get(api: StoreApi, request: Request): Promise<Answer> {
    const { operation, key } = request;
    const { level, owners, timeoutMs, client, sloppy } = operation;
    const name = `${client}/${operation.key}`;
    const dot = operation.variant === 'sibling' ? this.shown.get(name) : undefined;
    const result = await api.get({
      ...{ bucket: bucketOf(key), key: keyOf(key), timeoutMs, r: level, pr: owners, sloppy, dot },
      explain: isExplained(operation.id),
    });
    this.noteExplanation(request, result);
    this.remember(operation, result.context);
    const answer = this.readAnswer(key, result);
    if (answer.kind !== 'read') return answer;
    const last = answer.siblings.at(-1);
    if (last !== undefined) this.shown.set(name, last.dot);
    if (dot === undefined) return answer;
    this.simulation.tally.note(answer.siblings.length === 0 ? 'one sibling was read: gone' : 'one sibling was read');
    return { kind: 'sibling', siblings: answer.siblings, context: answer.context };
  }

  private async write(api: StoreApi, request: Request, context: string | undefined): Promise<Answer> {
    const { operation, key } = request;
    const { level, owners, timeoutMs, kind, id, sloppy } = operation;
    const version = kind === 'put' ? { value: Buffer.from(String(id)), contentType: '', meta: [] } : undefined;
    const result = await api.write({
      ...{ bucket: bucketOf(key), key: keyOf(key), timeoutMs, w: level, pw: owners, sloppy, version, context },
      returnValue: operation.variant === 'returnvalue',
      explain: operation.variant !== 'returnvalue' && isExplained(operation.id),
    });
    this.noteExplanation(request, result);
    if (result.siblings !== undefined) this.simulation.tally.note('a write returned what is there');
    this.remember(operation, result.context);
    return this.writtenAnswer(key, result);
  }

  private noteExplanation(request: Request, result: GetResult | WriteResult): void {
    if (result.explanation === undefined) return;
    this.explained.push({ request, result });
    const { tally } = this.simulation;
    tally.note(`a ${result.explanation.kind} was explained`);
    if (result.explanation.kind === 'write') return;
    const { replicas } = result.explanation;
    if (replicas.some(({ digest }) => digest)) tally.note('a read was answered by dots alone');
    if (replicas.some(({ fetchedMs }) => fetchedMs !== undefined)) tally.note('a read fetched what dots had told of');
  }

  private readAnswer(key: ObjectKey, { siblings, context, quorum }: GetResult): Answer {
    if (siblings.length > 1) this.simulation.tally.note('siblings were read');
    if (quorum.hedged > 0) this.simulation.tally.note('a read was hedged');
    if (quorum.fallbacks > 0) this.simulation.tally.note('a fallback counted for a read');
    return {
      kind: 'read',
      siblings: seenOf(siblings),
      context: this.mustOpen(key, context),
      ...quorumOf(quorum),
      n: this.simulation.plan.shape.n,
    };
  }

  private writtenAnswer(key: ObjectKey, { context, quorum, siblings = [] }: WriteResult): Answer {
    if (quorum.fallbacks > 0) this.simulation.tally.note('a fallback counted for a write');
    if (quorum.owners === 0) this.simulation.tally.note('a write was acknowledged by fallbacks alone');
    return {
      kind: 'written',
      siblings: seenOf(siblings),
      context: this.mustOpen(key, context),
      by: quorum.timings.map(({ node }) => node),
      ...quorumOf(quorum),
      n: this.simulation.plan.shape.n,
    };
  }

  private complete(request: Request, answer: Answer): void {
    request.completedMs = this.simulation.world.nowMs;
    request.answer = answer;
    const { tally } = this.simulation;
    if (answer.kind === 'refused' && answer.outcome !== undefined) tally.note(`a write's outcome: ${answer.outcome}`);
    tally.note(
      answer.kind === 'refused'
        ? `${request.operation.kind === 'get' ? 'read' : 'write'} refused: ${answer.code}`
        : `answer: ${answer.kind}`,
    );
    this.simulation.say(`client ${request.operation.client}`, () => `#${request.operation.id} ${describe(answer)}`);
    if (answer.kind === 'read' || answer.kind === 'written') {
      this.simulation.moments.happened({ kind: 'answered', answer: answer.kind });
    }
    if (answer.kind === 'broken')
      this.simulation.violated('crash', `a request failed in a way that is no answer: ${answer.error}`);
  }

  private tokenFor({ context, client, key, id }: Operation, object: ObjectKey): string | undefined {
    const mine = this.known.get(`${client}/${key}`) ?? [];
    switch (context) {
      case 'none':
        return undefined;
      case 'seen':
        return mine.at(-1)?.token;
      case 'stale':
        return mine[Math.floor(mine.length / 2)]?.token;
      case 'foreign':
        return [...this.known].find(([name]) => !name.endsWith(`/${key}`))?.[1].at(-1)?.token;
      case 'forged': {
        const bytes = Uint8Array.from({ length: 40 }, (_, i) =>
          Math.floor(256 * roll(this.simulation.plan.seed, id, i)),
        );
        const own = mine.at(-1)?.token;
        return own === undefined || id % 2 === 0
          ? Buffer.from(bytes).toString('base64url')
          : damaged(own, object.length + id);
      }
    }
  }

  private remember({ client, key }: Operation, token: string): void {
    const name = `${client}/${key}`;
    const tokens = this.known.get(name) ?? [];
    this.known.set(name, [...tokens, { token }].slice(-8));
  }

  /** Tokens come back: most are opened when they are given out, and again when they are sent. */
  private open(key: ObjectKey, token: string): DotSet | undefined {
    const name = `${key}\n${token}`;
    const known = this.opened.get(name);
    if (known !== undefined) return known;
    const state = this.simulation.clusterState;
    if (state === undefined) return undefined;
    this.macs ??= tokenMacs(state.clusterId, state.secret);
    const context = openContext(token, this.macs(key));
    if (context !== undefined) this.opened.set(name, context);
    return context;
  }

  private mustOpen(key: ObjectKey, token: string): DotSet {
    const context = this.open(key, token);
    if (context === undefined) this.simulation.violated('contexts', `an answer's token cannot be opened: ${token}`);
    return context ?? [];
  }

  private configure(machine: Machine, { client, id, timeoutMs }: Operation): void {
    const value = id + 1;
    const call = this.beginCall(client, { kind: 'write', value });
    machine.node?.api.putBucket(REGISTER, { valueBytes: value }, timeoutMs).then(
      () => this.endCall(call, { kind: 'done' }),
      // It may have been applied, and may yet be.
      () => this.endCall(call, { kind: 'unknown' }),
    );
  }

  private inspect(machine: Machine, { client, timeoutMs }: Operation): void {
    const { node } = machine;
    if (node === undefined) return;
    const call = this.beginCall(client, { kind: 'read' });
    node.membership.refresh(timeoutMs).then(
      (isFresh) =>
        this.endCall(
          call,
          isFresh ? { kind: 'value', value: node.api.bucket(REGISTER).valueBytes } : { kind: 'failed' },
        ),
      () => this.endCall(call, { kind: 'failed' }),
    );
  }

  private beginCall(client: number, call: RegisterCall['call']): RegisterCall {
    const begun: RegisterCall = {
      client,
      call,
      invokedMs: this.simulation.world.nowMs,
      completedMs: undefined,
      result: undefined,
    };
    this.register.push(begun);
    return begun;
  }

  private endCall(call: RegisterCall, result: NonNullable<RegisterCall['result']>): void {
    call.completedMs = this.simulation.world.nowMs;
    call.result = result;
    if (result.kind === 'done') this.simulation.moments.happened({ kind: 'answered', answer: 'written' });
  }
}

const quorumOf = ({ required, owners, fallbacks }: QuorumReport) => ({ required, owners, fallbacks });

function failure(error: unknown): Answer {
  if (error instanceof StoreError) {
    return { kind: 'refused', code: error.code, outcome: error.details.outcome, message: error.message };
  }
  return { kind: 'broken', error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

function damaged(token: string, at: number): string {
  const position = at % token.length;
  const other = token[position] === 'A' ? 'B' : 'A';
  return token.slice(0, position) + other + token.slice(position + 1);
}

function seenOf(siblings: readonly SiblingView[]): Siblings {
  return siblings.map(({ dot, value }) => ({ dot, value: Buffer.from(value).toString() }));
}

function describe(answer: Answer): string {
  if (answer.kind === 'sibling') return `read of one sibling [${answer.siblings.map(({ value }) => value).join(', ')}]`;
  if (answer.kind === 'read') return `read [${answer.siblings.map(({ value }) => value).join(', ')}]`;
  if (answer.kind === 'written') return `written by ${answer.by.join(', ')}`;
  return answer.kind === 'refused'
    ? `refused: ${answer.code} ${answer.outcome ?? ''} (${answer.message})`
    : answer.error;
}
