import {
  CONNECTION,
  type Failure,
  type Operation,
  type Session,
  type SessionOptions,
  type Store,
} from '../stores/store.ts';

export interface ClientOptions {
  readonly store: Store;
  readonly addresses: readonly string[];
  readonly session: SessionOptions;
}

/** One user of the store, with one connection. When that breaks it goes to the next member, as a user who knows several addresses does. */
export class Client {
  private readonly options: ClientOptions;
  private member: number;
  private session: Session | undefined;
  private isClosed = false;

  /** `number`: of this client; clients are spread over the members in turn. */
  constructor(options: ClientOptions, number: number) {
    this.options = options;
    this.member = number;
  }

  /** Undefined: it succeeded. Never rejects. Ends by the session's deadline, and that again for each member where there is no connection at first. */
  async run(operation: Operation): Promise<Failure | undefined> {
    const session = this.session?.isOpen ? this.session : await this.connect();
    if (session === undefined) return CONNECTION;
    const failure = await session.run(operation);
    if (!session.isOpen) this.member++;
    return failure;
  }

  /** To the next member that can be reached. Undefined, after a pause: there was none, and asking again at once would only keep the machine busy. */
  async connect(): Promise<Session | undefined> {
    const { store, addresses, session } = this.options;
    for (let attempt = 0; attempt < addresses.length && !this.isClosed; attempt++) {
      try {
        const opened = await store.open(addresses[this.member % addresses.length] ?? '', session);
        this.session = opened;
        if (this.isClosed) opened.close();
        return opened;
      } catch {
        this.member++;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    return undefined;
  }

  close(): void {
    this.isClosed = true;
    this.session?.close();
  }
}

const RETRY_MS = 100;

/** That many clients, each connected. Rejects when one cannot be: nothing is to be measured then. */
export async function connectClients(options: ClientOptions, connections: number): Promise<Client[]> {
  const clients = Array.from({ length: connections }, (_, number) => new Client(options, number));
  const sessions = await Promise.all(clients.map((client) => client.connect()));
  if (!sessions.includes(undefined)) return clients;
  for (const client of clients) client.close();
  throw new Error(`cannot connect to ${options.store.name} at ${options.addresses.join(', ')}`);
}
