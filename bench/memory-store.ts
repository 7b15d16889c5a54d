import type {
  CatchUpView,
  ClusterView,
  GetRequest,
  GetResult,
  HintsView,
  KeyPlacement,
  QuorumReport,
  RingView,
  SiblingView,
  StoreApi,
  SyncView,
  WriteRequest,
  WriteResult,
} from '../src/coordinator/api.ts';
import { actorOf, sameDot } from '../src/core/causality/dot.ts';
import type { BucketProperties, ClusterSettings } from '../src/core/cluster/cluster-state.ts';
import { epoch, logIndex, memberNumber, type NodeId, nodeId, objectKey, partition } from '../src/core/ids.ts';
import { StoreError } from '../src/errors.ts';

interface Entry {
  readonly siblings: readonly SiblingView[];
  /** Counters of all events of the key so far; the last is its newest. */
  readonly newest: number;
}

const VALUE_BYTES_MAX = 1024 * 1024;
const ACTOR = actorOf(memberNumber(1), logIndex(1));
const EMPTY: Entry = { siblings: [], newest: 0 };

/**
 * A `StoreApi` of one replica in memory: nothing is durable, nothing is sent. What the HTTP edge can do is measured and tested
 * against it. Its contexts are plain: the counter up to which all is covered, then the single counters above it.
 */
export class MemoryStore implements StoreApi {
  readonly node: NodeId = nodeId('n1');
  private readonly entries = new Map<string, Entry>();
  private readonly properties = new Map<string, BucketProperties>();
  private settings: ClusterSettings = { r: 'quorum', w: 'quorum', durability: 'flush' };
  private counter = 0;
  private version = 1;

  async get({ bucket, key, dot }: GetRequest): Promise<GetResult> {
    const { siblings, newest } = this.entries.get(objectKey(bucket, key)) ?? EMPTY;
    const quorum = this.report();
    if (dot === undefined) return { siblings, context: formatContext([newest]), quorum };
    const chosen = siblings.filter((sibling) => sameDot(sibling.dot, dot));
    return { siblings: chosen, context: formatContext([0, ...chosen.map((sibling) => sibling.dot.counter)]), quorum };
  }

  async write({ bucket, key, version, context, returnValue }: WriteRequest): Promise<WriteResult> {
    const object = objectKey(bucket, key);
    const before = this.entries.get(object) ?? EMPTY;
    const [upTo = 0, ...single] = context === undefined ? [before.newest] : parseContext(context);
    const kept = before.siblings.filter(({ dot }) => dot.counter > upTo && !single.includes(dot.counter));
    const newest = ++this.counter;
    const added =
      version === undefined ? [] : [{ ...version, dot: { actor: ACTOR, counter: newest }, stampMs: Date.now() }];
    const siblings = [...kept, ...added];
    this.entries.set(object, { siblings, newest });
    const result = { context: formatContext([upTo, ...single, newest]), durable: 'os' as const, quorum: this.report() };
    return returnValue ? { ...result, siblings } : result;
  }

  cluster(): ClusterView {
    const member = { id: this.node, number: 1, zone: 'a', host: '127.0.0.1', http: 8081, rpc: 9081 };
    return {
      cluster: 'memory',
      epoch: epoch(this.version),
      leader: this.node,
      n: 3,
      partitions: 1,
      settings: this.settings,
      members: [{ ...member, state: 'active', seenAs: 'up' }],
    };
  }

  ring(): RingView {
    return { epoch: epoch(this.version), partitions: [{ partition: partition(0), owners: [this.node], next: null }] };
  }

  sync(): SyncView {
    return { node: this.node, oldestMs: null, unheard: 0, partitions: [] };
  }

  ringOf(_bucket: string, _key: string): KeyPlacement {
    return { epoch: epoch(this.version), partition: partition(0), owners: [this.node], preferenceList: [this.node] };
  }

  catchUp(): CatchUpView {
    return { node: this.node, partitions: [], excepted: [] };
  }

  async exceptOwner(): Promise<CatchUpView> {
    throw new StoreError('conflict', 'this node is not catching up', { retryable: false });
  }

  hints(): HintsView {
    const target = { target: nodeId('n2'), count: 3, bytes: 900, oldestMs: 1500 };
    return { bytes: 900, bytesMax: VALUE_BYTES_MAX, refused: 0, damaged: 0, targets: [target] };
  }

  buckets(): readonly { readonly bucket: string; readonly properties: BucketProperties }[] {
    return [...this.properties].map(([bucket, properties]) => ({ bucket, properties }));
  }

  bucket(bucket: string): Required<BucketProperties> {
    const { r, w } = this.settings;
    return { r, w, conflict: 'siblings', valueBytes: VALUE_BYTES_MAX, ...this.properties.get(bucket) };
  }

  async putBucket(bucket: string, properties: BucketProperties): Promise<void> {
    this.version++;
    this.properties.set(bucket, properties);
  }

  async putSettings(settings: Partial<ClusterSettings>): Promise<void> {
    this.version++;
    this.settings = { ...this.settings, ...settings };
  }

  notReady(): string | undefined {
    return undefined;
  }

  private report(): QuorumReport {
    const timings = [{ node: this.node, ms: 0 }];
    return { required: 1, owners: 1, fallbacks: 0, hedged: 0, epoch: epoch(this.version), timings };
  }
}

function formatContext(counters: readonly number[]): string {
  return counters.join('_');
}

function parseContext(context: string): number[] {
  if (!/^\d+(?:_\d+)*$/.test(context)) throw new StoreError('bad-context', 'no context of this store');
  return context.split('_').map(Number);
}
