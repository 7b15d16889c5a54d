import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { Node } from './node.ts';
import type { Store } from './ports.ts';
import { METHOD } from './protocol.ts';

/** Between two looks at how late the event loop is. Each wakes the process: every 10 ms, that was most of what woke an idle node. */
const EVENT_LOOP_MS = 100;

/** What `/metrics` tells of the node below its HTTP edge. Read when asked for: requests pay nothing for it. */
export function registerNodeMetrics(registry: Registry, node: Node, store: Store): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_MS });
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `quorate_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  const flag = (value: boolean): number => (value ? 1 : 0);
  const { membership, calls, antiEntropy, contents, replica, readRepairs } = node;

  gauge('ready', 'Whether the node has been ready and is not draining.', () => flag(node.api.notReady() === undefined));
  gauge('epoch', 'Epoch of the cluster state that this node holds.', () => membership.view?.epoch ?? 0);
  gauge('granted', 'Whether this start holds a grant to coordinate writes.', () =>
    flag(membership.standing.actor !== undefined),
  );
  gauge('provisional_reads', 'Whether reads are answered without a grant, for want of a metadata leader.', () =>
    flag(membership.standing.isProvisional),
  );
  gauge(
    'catching_up',
    'Partitions that this node may not serve yet, since it lacks what their other owners hold.',
    () => catchingUp(node),
  );
  gauge(
    'damaged_keys',
    'Keys whose record here cannot be read, and was not had again from the other owners yet.',
    () => replica.damaged.count,
  );
  gauge(
    'incomplete_keys',
    'Records here that were had again from some of the other owners only, and may lack what the others hold.',
    () => replica.incomplete.count,
  );
  gauge(
    'mended_keys',
    'Damaged records that were had again from the other owners, since the start.',
    () => antiEntropy.damageRepair.mended,
  );
  gauge('raft_term', 'Term of the metadata group as this node knows it.', () => membership.raftMetrics?.term ?? 0);
  gauge(
    'raft_commit',
    'Commit index of the metadata group as this node knows it.',
    () => membership.raftMetrics?.commit ?? 0,
  );
  gauge('raft_applied', 'Index of the last metadata command applied here.', () => membership.raftMetrics?.applied ?? 0);
  gauge('raft_leader', 'Whether this node leads the metadata group.', () =>
    flag(membership.raftMetrics?.isLeader ?? false),
  );
  for (const seen of ['up', 'suspect', 'down'] as const) {
    const count = () => (membership.view === undefined ? 0 : membersSeenAs(node, seen));
    gauge(`members_${seen}`, `Members that this node sees as ${seen}, itself as up.`, count);
  }
  gauge(
    'members_lost',
    'How often another node was lost, by silence or by the end of its connection, since the start.',
    () => membership.detector.losses,
  );
  gauge('rpc_pending', 'Calls to other nodes that wait for their answer.', () => calls.stats().pending);
  gauge('rpc_timeouts', 'Calls to other nodes that timed out, since the start.', () => calls.stats().timeouts);
  gauge(
    'rpc_stray_replies',
    'Answers that nobody waited for any more, since the start.',
    () => calls.stats().strayReplies,
  );
  gauge(
    'rpc_expired',
    'Requests of other nodes that came or were answered too late, since the start.',
    () => calls.stats().expired,
  );
  gauge(
    'rpc_malformed',
    'Messages of other nodes that were no messages, since the start.',
    () => calls.stats().malformed,
  );
  registerSentBytes(registry, calls.sentBytes);
  gauge('sync_rounds', 'Exchanges of clocks with other owners begun, since the start.', () => antiEntropy.rounds);
  gauge('sync_keys', 'Keys taken in from other owners by exchanges, since the start.', () => antiEntropy.pulled.keys);
  gauge('sync_bytes', 'Bytes of those keys.', () => antiEntropy.pulled.bytes);
  gauge(
    'sync_comparisons',
    'Partitions compared in full, for want of knowing which keys are missing, since the start.',
    () => antiEntropy.pulled.comparisons,
  );
  gauge(
    'sync_diverged_ms',
    'How long the oldest difference from another owner has been there, 0 for none.',
    () => node.api.sync().oldestMs ?? 0,
  );
  gauge(
    'content_compared',
    'Partitions whose contents were compared with those of an owner with an equal clock, since the start.',
    () => contents.counts.compared,
  );
  gauge(
    'content_mismatches',
    'Partitions found to differ from another owner although the clocks are equal, since the start: damage.',
    () => contents.counts.mismatches,
  );
  gauge(
    'content_repairs',
    'Repairs of such partitions that were carried through, since the start.',
    () => contents.counts.repairs,
  );
  gauge('content_corrupt', 'Partitions that differ so still, after repairs.', () => contents.corrupt);
  gauge(
    'content_unknown',
    'Partitions of this node whose contents cannot be compared at the moment.',
    () => contents.unknown,
  );
  gauge(
    'residues',
    'Keys stored with a context that the partition clock has not caught up with.',
    () => replica.residueCount,
  );
  gauge(
    'retired_actors',
    'Entries of ended actors that were folded in the clocks of partitions, since the start.',
    () => node.retirements.folded,
  );
  gauge(
    'ended_actor_refusals',
    'Messages refused since they brought a write of an actor that had ended, since the start.',
    () => node.endedActors.refused,
  );
  gauge('clock_entries', 'Entries of the clocks of all partitions that this node owns.', () =>
    node.retirements.clockEntries(),
  );
  gauge('read_hedge_delay_ms', 'How long a read waits before it asks one more replica.', () => node.hedge.delayMs);
  gauge('read_repairs', 'Replicas sent what a read had found, since the start.', () => readRepairs.stats().sent);
  gauge(
    'read_repairs_failed',
    'Repairs of reads that were not acknowledged, since the start.',
    () => readRepairs.stats().failed,
  );
  gauge(
    'read_repairs_dropped',
    'Repairs of reads that were not sent, since too many were under way.',
    () => readRepairs.stats().dropped,
  );
  gauge(
    'read_write_backs',
    'Replicas sent what a read had found before it was answered, since the start.',
    () => readRepairs.stats().writtenBack,
  );
  gauge('hints', 'Hints kept for other nodes.', () => node.hints.count);
  gauge(
    'hint_bytes',
    'Bytes of the hints kept for other nodes, with what keeping track of them takes.',
    () => node.hints.bytes,
  );
  gauge('hints_removed', 'Hints that were delivered, since the start.', () => node.hints.removed);
  gauge('hints_refused', 'Hints that found no room, since the start.', () => node.hints.refused);
  gauge(
    'hints_damaged',
    'Hints whose record here cannot be read: they may hold the only copy of an acknowledged write.',
    () => node.hints.damaged.count,
  );
  gauge(
    'hint_delivery_failures',
    'Attempts to deliver a hint that did not succeed, since the start.',
    () => node.delivery.failures,
  );
  gauge('objects', 'Keys stored in all partitions of this node, residues included.', () => store.stats().objects);
  gauge('store_flushes', 'Flushes of the log, since the start.', () => store.stats().flushes);
  gauge('store_log_bytes', 'Bytes appended to the log, since the start.', () => store.stats().logBytes);
  gauge('store_checkpoints', 'Checkpoints, since the start.', () => store.stats().checkpoints);
  gauge(
    'store_checkpoint_bytes',
    'Bytes handed to the state by checkpoints, since the start.',
    () => store.stats().checkpointBytes,
  );
  gauge('store_memtable_bytes', 'Bytes of changes that are not in the state yet.', () => store.stats().memtableBytes);
  gauge('store_memtable_entries', 'Changes that are not in the state yet.', () => store.stats().memtableEntries);
  gauge('store_state_bytes', 'Bytes of the state file.', () => store.stats().stateBytes);
}

function registerSentBytes(registry: Registry, sentBytes: Float64Array): void {
  new Counter({
    name: 'quorate_rpc_sent_bytes_total',
    help: 'Bytes sent to other nodes, by the method that was asked for or answered.',
    labelNames: ['method'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [method, code] of Object.entries(METHOD)) this.inc({ method }, sentBytes[code] ?? 0);
    },
  });
}

function membersSeenAs({ api }: Node, seen: 'up' | 'suspect' | 'down'): number {
  return api.cluster().members.filter(({ seenAs }) => seenAs === seen).length;
}

function catchingUp({ membership, api }: Node): number {
  return membership.view === undefined ? 0 : api.catchUp().partitions.length;
}
