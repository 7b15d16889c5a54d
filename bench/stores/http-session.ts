import { HttpConnection } from './http-connection.ts';
import type { HttpAnswer, HttpDialect, HttpRequest } from './http-dialect.ts';
import type { Failure, Operation, Session, SessionOptions } from './store.ts';

/** A session with a store over HTTP, as its dialect has it. */
export async function openHttpSession(
  address: string,
  dialect: HttpDialect,
  options: SessionOptions,
): Promise<Session> {
  return new HttpSession(await HttpConnection.open(address, options.timeoutMs), dialect, options);
}

class HttpSession implements Session {
  private readonly connection: HttpConnection;
  private readonly dialect: HttpDialect;
  private readonly options: SessionOptions;

  constructor(connection: HttpConnection, dialect: HttpDialect, options: SessionOptions) {
    this.connection = connection;
    this.dialect = dialect;
    this.options = options;
  }

  get isOpen(): boolean {
    return this.connection.isOpen;
  }

  run({ kind, key }: Operation): Promise<Failure | undefined> {
    const { read, write, nextValue } = this.options;
    if (kind === 'read') return this.single('read', this.dialect.read(key, read));
    if (kind === 'read-modify-write') return this.readModifyWrite(key);
    return this.single('write', this.dialect.write(key, nextValue(), write));
  }

  close(): void {
    this.connection.close();
  }

  private async single(step: 'read' | 'write', request: HttpRequest): Promise<Failure | undefined> {
    return this.failureOf(step, await this.connection.ask(request));
  }

  private async readModifyWrite(key: string): Promise<Failure | undefined> {
    const { read, write, nextValue } = this.options;
    const seen = await this.connection.ask(this.dialect.readBeforeWrite(key, read));
    if (typeof seen === 'string') return seen;
    const failure = this.dialect.failureOf('read', seen);
    if (failure !== undefined) return failure;
    const written = await this.connection.ask(this.dialect.writeAfter(key, nextValue(), write, seen));
    return this.failureOf('write-after', written);
  }

  private failureOf(step: 'read' | 'write' | 'write-after', answer: HttpAnswer | Failure): Failure | undefined {
    return typeof answer === 'string' ? answer : this.dialect.failureOf(step, answer);
  }
}
