import type { Failure, Operation, Session, Store, Way } from '../stores/store.ts';

const WAY: Way = { label: 'any', parameter: '', strength: 'quorum' };

export type Answering = (operation: Operation, address: string, session: TestSession) => Promise<Failure | undefined>;

/** A store within this process that answers as it is told. An address in `unreachable` takes no connection. */
export class TestStore implements Store {
  readonly name = 'test';
  readonly reads = [WAY];
  readonly writes = [WAY];
  readonly dialect = undefined;
  readonly unreachable = new Set<string>();
  readonly sessions: TestSession[] = [];
  private readonly answering: Answering;

  constructor(answering: Answering) {
    this.answering = answering;
  }

  async open(address: string): Promise<Session> {
    if (this.unreachable.has(address)) throw new Error('unreachable');
    const session = new TestSession(address, this.answering);
    this.sessions.push(session);
    return session;
  }

  async versionOf(): Promise<string> {
    return '1';
  }

  async durabilityOf(): Promise<string> {
    return 'none';
  }
}

export class TestSession implements Session {
  readonly address: string;
  isOpen = true;
  private readonly answering: Answering;

  constructor(address: string, answering: Answering) {
    this.address = address;
    this.answering = answering;
  }

  run(operation: Operation): Promise<Failure | undefined> {
    return this.answering(operation, this.address, this);
  }

  close(): void {
    this.isOpen = false;
  }
}
