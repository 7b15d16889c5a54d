import { createClient } from '@redis/client';
import {
  CONFLICT,
  CONNECTION,
  type Failure,
  NOT_FOUND,
  type Operation,
  type Session,
  type SessionOptions,
  TIMEOUT,
} from './store.ts';

type Client = ReturnType<typeof newClient>;
type Ask = (command: (string | Buffer)[]) => Promise<unknown>;

const TIMEOUT_MS = 5000;

/** A connection to one member, and, where that is a replica, a second one to its primary for what only a primary does. */
export class RedisSession implements Session {
  private readonly own: Client;
  private readonly primary: Client;
  private readonly options: SessionOptions;
  private readonly timer: NodeJS.Timeout;
  private settle: ((failure: Failure | undefined) => void) | undefined;
  isOpen = true;

  static async open(address: string, options: SessionOptions): Promise<RedisSession> {
    const own = await openClient(address, options.timeoutMs);
    try {
      const primary = primaryOf(await inTime(own.sendCommand(['ROLE']), options.timeoutMs));
      return new RedisSession(own, primary === undefined ? own : await openClient(primary, options.timeoutMs), options);
    } catch (error) {
      own.destroy();
      throw error;
    }
  }

  private constructor(own: Client, primary: Client, options: SessionOptions) {
    this.own = own;
    this.primary = primary;
    this.options = options;
    this.timer = setTimeout(() => this.expire(), options.timeoutMs);
    for (const client of new Set([own, primary])) client.on('error', () => this.fail(CONNECTION));
  }

  run(operation: Operation): Promise<Failure | undefined> {
    if (!this.isOpen) return Promise.resolve(CONNECTION);
    this.timer.refresh();
    return new Promise((resolve) => {
      this.settle = resolve;
      this.send(operation).then(
        (failure) => this.answer(failure),
        (error: unknown) => this.refuse(error),
      );
    });
  }

  close(): void {
    this.fail(CONNECTION);
  }

  private send({ kind, key }: Operation): Promise<Failure | undefined> {
    // Apart from whatever else the store keeps.
    const name = `bench/${key}`;
    if (kind === 'read') return this.read(name);
    return kind === 'read-modify-write' ? this.readModifyWrite(name) : this.write(name);
  }

  private async read(key: string): Promise<Failure | undefined> {
    const client = this.options.read.parameter === 'primary' ? this.primary : this.own;
    return (await client.sendCommand(['GET', key])) === null ? NOT_FOUND : undefined;
  }

  /** SET and WAIT go out together: one round trip. */
  private async write(key: string): Promise<Failure | undefined> {
    const { nextValue, write, timeoutMs } = this.options;
    const isSet = this.primary.sendCommand(['SET', key, nextValue().bytes]);
    if (write.parameter === '0') {
      await isSet;
      return undefined;
    }
    const waited = this.primary.sendCommand(['WAIT', write.parameter, `${timeoutMs}`]);
    const [, acknowledged] = await Promise.all([isSet, waited]);
    return Number(acknowledged) >= Number(write.parameter) ? undefined : 'too few replicas';
  }

  /** Optimistic, at the primary: WATCH and GET in one round trip, MULTI, SET and EXEC in another. EXEC answers null when the key was written in between. */
  private async readModifyWrite(key: string): Promise<Failure | undefined> {
    const { nextValue, write, timeoutMs } = this.options;
    const client = this.primary;
    await Promise.all([client.sendCommand(['WATCH', key]), client.sendCommand(['GET', key])]);
    const commands: (string | Buffer)[][] = [['MULTI'], ['SET', key, nextValue().bytes], ['EXEC']];
    if (write.parameter !== '0') commands.push(['WAIT', write.parameter, `${timeoutMs}`]);
    const [, , done, acknowledged] = await Promise.all(commands.map((command) => client.sendCommand(command)));
    if (done === null) return CONFLICT;
    return Number(acknowledged ?? 0) >= Number(write.parameter) ? undefined : 'too few replicas';
  }

  /** An error that the server answered leaves the connection as it is; any other ends it. */
  private refuse(error: unknown): void {
    const code = error instanceof Error ? /^[A-Z]+(?= )/.exec(error.message)?.[0] : undefined;
    if (code === undefined) this.fail(CONNECTION);
    else this.answer(code);
  }

  private expire(): void {
    if (this.settle !== undefined) this.fail(TIMEOUT);
  }

  private fail(why: Failure): void {
    if (this.isOpen) {
      this.isOpen = false;
      clearTimeout(this.timer);
      for (const client of new Set([this.own, this.primary])) if (client.isOpen) client.destroy();
    }
    this.answer(why);
  }

  private answer(failure: Failure | undefined): void {
    const settle = this.settle;
    this.settle = undefined;
    settle?.(failure);
  }
}

/** Asks a few things over a connection of its own. */
export async function withClient<T>(address: string, work: (ask: Ask) => Promise<T>): Promise<T> {
  const client = await openClient(address, TIMEOUT_MS);
  try {
    return await inTime(
      work((command) => client.sendCommand(command)),
      TIMEOUT_MS,
    );
  } finally {
    client.destroy();
  }
}

async function openClient(address: string, timeoutMs: number): Promise<Client> {
  const client = newClient(address, timeoutMs);
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** The client's own deadline for a command ends when it is sent. */
async function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** RESP 2 and nothing said of the client: one command less on each new connection. A broken connection is not opened again. */
function newClient(address: string, timeoutMs: number) {
  return createClient({
    url: address,
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    socket: { connectTimeout: timeoutMs, reconnectStrategy: false, noDelay: true },
  });
}

/** ROLE answers `master ...`, or `slave`, host and port of the primary. Undefined: this is the primary. */
function primaryOf(role: unknown): string | undefined {
  const [name, host, port] = Array.isArray(role) ? role.map(String) : [];
  return name === 'slave' ? `redis://${host}:${port}` : undefined;
}
