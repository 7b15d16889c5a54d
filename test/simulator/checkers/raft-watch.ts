import type { EntryId } from '../../../src/core/raft/types.ts';
import type { MetadataGroup } from '../../../src/membership/metadata-group.ts';
import { RaftSafety } from '../../raft/raft-safety.ts';
import type { Machine } from '../machine.ts';

interface Seen {
  readonly group: MetadataGroup;
  role: string;
  term: number;
  lastIndex: number;
  lastTerm: number;
  applied: number;
}

/** Raft's promises, after every event: what each node's machine holds is compared with what any node ever held. */
export class RaftWatch {
  private readonly safety = new RaftSafety();
  private readonly seen = new Map<Machine, Seen>();

  /** Throws when a promise is broken. */
  look(machines: readonly Machine[]): void {
    for (const machine of machines) {
      const group = machine.node?.membership.metadata;
      if (group !== undefined) this.lookAt(machine, group);
    }
  }

  get leaders(): number {
    return this.safety.leadersSeen;
  }

  /** Whether a node's term is no lower than the other's, and its log as up to date (Raft paper 5.4.1). */
  isAsFar(machine: Machine, other: Machine): boolean {
    const [mine, its] = [this.seen.get(machine), this.seen.get(other)];
    if (mine === undefined || its === undefined || mine.term < its.term) return false;
    return mine.lastTerm > its.lastTerm || (mine.lastTerm === its.lastTerm && mine.lastIndex >= its.lastIndex);
  }

  private lookAt(machine: Machine, group: MetadataGroup): void {
    // The simulator is the one place that looks behind the product's doors.
    // biome-ignore lint/complexity/useLiteralKeys: TypeScript lets private members be read in this form only
    const raft = group['raft']['raft'];
    const { log, role, term } = raft;
    let seen = this.seen.get(machine);
    if (seen?.group !== group) {
      seen = { group, role: '', term: 0, lastIndex: -1, lastTerm: -1, applied: log.snapshot.index };
      this.seen.set(machine, seen);
      this.safety.installs(machine.index, log.snapshot);
    }
    const isSame =
      seen.role === role && seen.term === term && seen.lastIndex === log.lastIndex && seen.lastTerm === log.lastTerm;
    if (!isSame) {
      // biome-ignore lint/complexity/useLiteralKeys: as above
      const [start, entries] = [log['start'] as EntryId, log['entries']];
      this.safety.holds(machine.index, { snapshot: start, entries });
      if (role === 'leader') this.safety.leads(machine.index, term, { snapshot: start, entries });
      Object.assign(seen, { role, term, lastIndex: log.lastIndex, lastTerm: log.lastTerm });
    }
    if (seen.applied !== log.applied) this.applied(machine, seen, group);
  }

  private applied(machine: Machine, seen: Seen, group: MetadataGroup): void {
    // biome-ignore lint/complexity/useLiteralKeys: as above
    const { log, term } = group['raft']['raft'];
    // biome-ignore lint/complexity/useLiteralKeys: as above
    const entries = log['entries'];
    if (log.snapshot.index > seen.applied) {
      this.safety.installs(machine.index, log.snapshot);
      seen.applied = log.snapshot.index;
    }
    for (const entry of entries) {
      if (entry.index <= seen.applied || entry.index > log.applied) continue;
      this.safety.applies(machine.index, term, entry);
    }
    seen.applied = log.applied;
  }
}
