import { pack, unpack } from 'msgpackr';
import { logIndex } from '../../src/core/ids.ts';
import type { RaftMessage } from '../../src/core/raft/message.ts';
import { parseRaftMessage } from '../../src/core/raft/parse-message.ts';
import { RaftNode } from '../../src/core/raft/raft-node.ts';
import type { Ready } from '../../src/core/raft/ready.ts';
import { type Configuration, joiningState, raftId, type StoredState } from '../../src/core/raft/types.ts';
import { bytes, raftConfig, stored, write } from './raft-network.ts';
import { RaftSafety } from './raft-safety.ts';

/** One thing that happens: `choice` picks what (see {@link RaftChaos.act}), `a` and `b` to whom. All are taken modulo. */
export interface ChaosStep {
  readonly choice: number;
  readonly a: number;
  readonly b: number;
}

interface ChaosHost {
  readonly id: number;
  node: RaftNode | undefined;
  /** What a crash leaves. */
  flushed: StoredState;
  /** What was written, some of it not flushed. */
  written: StoredState;
  outstanding: Ready | undefined;
}

/**
 * Machines under a random schedule: messages are delivered in any order, twice or never, groups are cut off, nodes crash
 * between any two steps of a Ready, losing what was not flushed, and come back. After each step the promises are checked.
 */
export class RaftChaos {
  readonly safety = new RaftSafety();
  readonly reached = { crashes: 0, snapshots: 0, reads: 0, lostReadies: 0 };
  private readonly hosts: readonly ChaosHost[];
  private flying: RaftMessage[] = [];
  private island = new Set<number>();
  private proposals = 0;
  private tokens = 0;

  /** The last of `count` machines is a learner that joins with nothing if there are more than three. */
  constructor(count: number) {
    const all = Array.from({ length: count }, (_, position) => position + 1);
    const learners = count > 3 ? all.slice(-1) : [];
    const voters = all.filter((id) => !learners.includes(id)).map(raftId);
    const configuration: Configuration = { voters, outgoing: [], learners: learners.map(raftId) };
    this.hosts = all.map((id) => {
      const disk = learners.includes(id) ? joiningState() : stored(configuration);
      return { id, node: undefined, flushed: disk, written: disk, outstanding: undefined };
    });
    for (const host of this.hosts) this.start(host);
  }

  run(steps: readonly ChaosStep[]): void {
    for (const step of steps) this.act(step);
  }

  /** Ends all faults and lets the machines work until they agree, or throws. */
  heal(): void {
    this.island = new Set();
    for (const host of this.hosts) if (host.node === undefined) this.start(host);
    for (let round = 0; round < 400; round++) {
      this.calm(1);
      if (round % 10 === 9) this.propose(this.hosts[round % this.hosts.length]);
      if (round > 60 && this.isLevel()) return;
    }
    throw new Error(`no agreement: ${JSON.stringify(this.hosts.map(({ node }) => node?.status()))}`);
  }

  private act({ choice, a, b }: ChaosStep): void {
    const host = this.hosts[a % this.hosts.length];
    const node = host?.node;
    if (host === undefined) return;
    const kind = choice % 1000;
    if (kind < 430) this.deliver(b);
    else if (kind < 720) this.work(host);
    else if (kind < 800) node?.tick();
    else if (kind < 860) this.propose(host);
    else if (kind < 890) this.read(host);
    else if (kind < 910) this.duplicate(b);
    else if (kind < 930) this.flying.splice(b % Math.max(1, this.flying.length), 1);
    else if (kind < 936) this.crash(host);
    else if (kind < 956) this.start(host);
    else if (kind < 964) this.compact(host, b);
    else if (kind < 968)
      this.island = new Set(this.hosts.filter((_, position) => (b >> position) & 1).map(({ id }) => id));
    else if (kind < 972) this.island = new Set();
    else if (kind < 985) this.calm(1 + (b % 6));
    else node?.reportUnreachable(raftId(1 + (b % this.hosts.length)));
    this.observe(host);
  }

  /** Begins a Ready, or ends the one begun: between the two anything may happen, a crash included. */
  private work(host: ChaosHost): void {
    const { node, outstanding } = host;
    if (node === undefined) return;
    if (outstanding === undefined) {
      host.outstanding = node.ready();
      return;
    }
    host.outstanding = undefined;
    host.written = write(host.written, outstanding);
    this.safety.holds(host.id, host.written);
    if (outstanding.mustFlush) host.flushed = host.written;
    node.advance();
    const { term } = node.status();
    if (outstanding.snapshot !== undefined) {
      this.safety.installs(host.id, outstanding.snapshot);
      this.reached.snapshots++;
    }
    for (const entry of outstanding.committed) this.safety.applies(host.id, term, entry);
    for (const read of outstanding.reads) this.safety.reads(host.id, read.token, read.index);
    this.reached.reads += outstanding.reads.length;
    this.flying.push(...outstanding.messages);
  }

  /** A while without further faults: everything that can arrive does, in order. */
  private calm(ticks: number): void {
    for (let tick = 0; tick < ticks; tick++) {
      for (const host of this.hosts) host.node?.tick();
      for (const host of this.hosts) this.drain(host);
      while (this.flying.length > 0) {
        this.deliver(0);
        for (const host of this.hosts) this.drain(host);
      }
    }
  }

  private drain(host: ChaosHost): void {
    do this.work(host);
    while (host.outstanding !== undefined);
    this.observe(host);
  }

  private deliver(which: number): void {
    const [message] = this.flying.splice(which % Math.max(1, this.flying.length), 1);
    if (message === undefined || this.island.has(message.from) !== this.island.has(message.to)) return;
    const receiver = this.hosts[message.to - 1];
    receiver?.node?.step(parseRaftMessage(unpack(pack(message))));
    if (receiver !== undefined) this.observe(receiver);
  }

  private duplicate(which: number): void {
    const message = this.flying[which % Math.max(1, this.flying.length)];
    if (message !== undefined) this.flying.push(message);
  }

  private propose(host: ChaosHost | undefined): void {
    this.proposals++;
    host?.node?.propose(bytes(`p${this.proposals}`));
  }

  private read(host: ChaosHost): void {
    const token = `r${this.tokens++}`;
    this.safety.asksToRead(token);
    host.node?.readIndex(token);
  }

  private crash(host: ChaosHost): void {
    if (host.node === undefined) return;
    this.reached.crashes++;
    if (host.outstanding !== undefined) this.reached.lostReadies++;
    host.node = undefined;
    host.outstanding = undefined;
    host.written = host.flushed;
  }

  private start(host: ChaosHost): void {
    if (host.node !== undefined) return;
    const random = (): number => ((this.proposals * 7 + this.tokens * 3 + host.id * 5) % 10) / 10;
    const limits = { inflightAppendsMax: 3, appendBytesMax: 40, uncommittedBytesMax: 60 };
    host.node = new RaftNode(raftConfig(host.id, { random, ...limits }), host.flushed);
    this.safety.installs(host.id, host.flushed.snapshot);
  }

  private compact(host: ChaosHost, keep: number): void {
    const { applied } = host.node?.status() ?? {};
    if (applied === undefined || host.outstanding !== undefined) return;
    const snapshot = host.node?.compact(logIndex(applied), bytes(`state ${applied}`), keep % 4);
    if (snapshot === undefined) return;
    const entries = host.written.entries.filter((entry) => entry.index > snapshot.index);
    host.written = { ...host.written, snapshot, entries };
    host.flushed = host.written;
  }

  private observe(host: ChaosHost): void {
    const status = host.node?.status();
    if (status?.role === 'leader') this.safety.leads(host.id, status.term, host.written);
  }

  private isLevel(): boolean {
    const states = this.hosts.map(({ node }) => node?.status());
    const isSame = states.every((state) => state?.applied === states[0]?.applied && state?.leader !== undefined);
    return isSame && states.some((state) => state?.role === 'leader') && this.flying.length === 0;
  }
}
