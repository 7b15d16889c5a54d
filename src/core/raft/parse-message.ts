import { DecodeError } from '../bytes.ts';
import { type LogIndex, logIndex, type Term, term } from '../ids.ts';
import { type MessageBody, type RaftMessage, READ_TOKEN_LENGTH_MAX } from './message.ts';
import { type Configuration, type Entry, type EntryId, type RaftId, raftId, type Snapshot } from './types.ts';

const MEMBERS_MAX = 10_000;

/**
 * Makes a message of a decoded value from the network, which may be anything. Only known fields are taken over.
 * Throws {@link DecodeError} on whatever no machine sends: what passes breaks no invariant of the receiver by its form.
 */
export function parseRaftMessage(value: unknown): RaftMessage {
  const fields = new Fields(value);
  const envelope = { from: fields.id('from'), to: fields.id('to'), term: term(fields.count('term')) };
  const message = { ...envelope, ...parseBody(fields) };
  if (message.kind === 'append') checkTerms(message.previousTerm, message.entries, message.term);
  if (message.kind === 'snapshot' && message.snapshot.term > message.term) throw malformed('snapshot');
  return message;
}

function parseBody(fields: Fields): MessageBody {
  const kind = fields.text('kind');
  switch (kind) {
    case 'vote':
    case 'pre-vote':
      return { kind, lastIndex: fields.index('lastIndex'), lastTerm: fields.term('lastTerm') };
    case 'vote-reply':
    case 'pre-vote-reply':
      return { kind, granted: fields.flag('granted') };
    case 'append':
      return parseAppend(fields);
    case 'append-accepted':
      return { kind, index: fields.index('index') };
    case 'append-rejected':
      return {
        kind,
        rejectedIndex: fields.index('rejectedIndex'),
        hintIndex: fields.index('hintIndex'),
        hintTerm: fields.term('hintTerm'),
      };
    case 'heartbeat':
      return { kind, commit: fields.index('commit'), round: fields.count('round') };
    case 'heartbeat-reply':
      return { kind, round: fields.count('round') };
    case 'snapshot':
      return { kind, snapshot: parseSnapshot(new Fields(fields.get('snapshot'))) };
    case 'stale-term':
      return { kind };
    case 'propose':
      return { kind, data: fields.data('data', 1) };
    case 'read-index':
      return { kind, token: fields.token('token') };
    case 'read-index-reply':
      return { kind, token: fields.token('token'), index: fields.index('index') };
    default:
      throw malformed('kind');
  }
}

function parseAppend(fields: Fields): MessageBody {
  const previous: EntryId = { index: fields.index('previousIndex'), term: fields.term('previousTerm') };
  const entries = fields.list('entries').map((item, position) => {
    const entry = parseEntry(new Fields(item));
    if (entry.index !== previous.index + 1 + position) throw malformed('entries');
    return entry;
  });
  const commit = fields.index('commit');
  return { kind: 'append', previousIndex: previous.index, previousTerm: previous.term, entries, commit };
}

function parseEntry(fields: Fields): Entry {
  return { index: fields.index('index'), term: fields.term('term'), data: fields.data('data', 0) };
}

function checkTerms(previous: Term, entries: readonly Entry[], senders: Term): void {
  const terms = [previous, ...entries.map((entry) => entry.term), senders];
  const isAscending = terms.every((each, position) => position === 0 || each >= (terms[position - 1] ?? 0));
  if (!isAscending) throw malformed('entries');
}

function parseSnapshot(fields: Fields): Snapshot {
  const configuration = parseConfiguration(new Fields(fields.get('configuration')));
  const index = fields.index('index');
  if (index === 0 || configuration.voters.length === 0) throw malformed('snapshot');
  return { index, term: fields.term('term'), configuration, data: fields.data('data', 0) };
}

function parseConfiguration(fields: Fields): Configuration {
  const [voters, outgoing, learners] = [fields.ids('voters'), fields.ids('outgoing'), fields.ids('learners')];
  const electors = new Set([...voters, ...outgoing]);
  if (learners.some((id) => electors.has(id))) throw malformed('learners');
  return { voters, outgoing, learners };
}

/** The fields of one object, each read as what it must be. */
class Fields {
  private readonly source: object;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null) throw malformed('message');
    this.source = value;
  }

  get(name: string): unknown {
    return Object.getOwnPropertyDescriptor(this.source, name)?.value;
  }

  count(name: string): number {
    const value = this.get(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed(name);
    return value;
  }

  term(name: string): Term {
    return term(this.count(name));
  }

  index(name: string): LogIndex {
    return logIndex(this.count(name));
  }

  id(name: string): RaftId {
    return parseId(this.get(name), name);
  }

  ids(name: string): readonly RaftId[] {
    const ids = this.list(name).map((item) => parseId(item, name));
    if (ids.length > MEMBERS_MAX || new Set(ids).size !== ids.length) throw malformed(name);
    return ids;
  }

  flag(name: string): boolean {
    const value = this.get(name);
    if (typeof value !== 'boolean') throw malformed(name);
    return value;
  }

  text(name: string): string {
    const value = this.get(name);
    if (typeof value !== 'string') throw malformed(name);
    return value;
  }

  token(name: string): string {
    const value = this.text(name);
    if (value.length > READ_TOKEN_LENGTH_MAX) throw malformed(name);
    return value;
  }

  /** A copy, in memory of its own: what came from the network is a view into a buffer that is used again. */
  data(name: string, lengthMin: number): Uint8Array {
    const value = this.get(name);
    if (!(value instanceof Uint8Array) || value.length < lengthMin) throw malformed(name);
    return Uint8Array.from(value);
  }

  list(name: string): readonly unknown[] {
    const value = this.get(name);
    if (!Array.isArray(value)) throw malformed(name);
    return value;
  }
}

function parseId(value: unknown, name: string): RaftId {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) throw malformed(name);
  return raftId(value);
}

function malformed(field: string): DecodeError {
  return new DecodeError(`raft message: bad ${field}`);
}
