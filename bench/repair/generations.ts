import { ByteWriter } from '../../src/core/bytes.ts';
import { encodeContainer } from '../../src/core/causality/container.ts';
import { actorOf, type Dot, writeDot } from '../../src/core/causality/dot.ts';
import { EMPTY_DOTS } from '../../src/core/causality/dot-set.ts';
import { encodeVersion } from '../../src/core/causality/version.ts';
import { logIndex, memberNumber, objectKey } from '../../src/core/ids.ts';
import { type Client, each } from './client.ts';

const BUCKET = 'repair';
const WIDTH = 64;
const PARTITIONS = 64;
const KINDS = 3;

/**
 * Writes of `keys` keys in rounds, called generations. In each a third of the keys is written anew, a third is overwritten, a third is
 * deleted; the thirds take turns, so that after each generation two of three keys are there.
 */
export class Generations {
  private readonly client: Client;
  private readonly keys: number;
  private readonly value: Uint8Array;
  private generation = 0;

  constructor(client: Client, keys: number, value: Uint8Array) {
    this.client = client;
    this.keys = keys;
    this.value = value;
  }

  /** What the first generation finds. */
  async prepare(ids: readonly string[]): Promise<void> {
    await this.write(ids, (kind) => (kind === 'new' ? undefined : 'overwrite'));
  }

  /** Resolves to the bytes of what was changed, as it is stored: key, dot and value with what describes it. */
  async next(ids: readonly string[]): Promise<number> {
    await this.write(ids, (kind) => kind);
    this.generation++;
    return this.changedBytes();
  }

  /** How many keys there are now. */
  get present(): number {
    return Array.from({ length: this.keys }, (_, i) => this.kindOf(i)).filter((kind) => kind !== 'new').length;
  }

  private write(ids: readonly string[], only: (kind: Kind) => Kind | undefined): Promise<void> {
    return each(this.keys, WIDTH, async (i) => {
      const kind = only(this.kindOf(i));
      if (kind === undefined) return;
      const id = ids[i % ids.length] ?? '';
      const path = `/v1/kv/${BUCKET}/${keyName(i)}?w=2`;
      if (kind === 'delete') await this.client.write(id, 'DELETE', path);
      else await this.client.write(id, 'PUT', path, this.value);
    });
  }

  /** What the coming generation does with the key. */
  private kindOf(i: number): Kind {
    return (['new', 'overwrite', 'delete'] as const)[(i + this.generation) % KINDS] ?? 'new';
  }

  /** Of the generation before: what is to be written anew now was deleted by it. */
  private changedBytes(): number {
    let bytes = 0;
    for (let i = 0; i < this.keys; i++) {
      const dot = { actor: ACTOR, counter: 1 + Math.floor(i / PARTITIONS) };
      const key = Buffer.byteLength(objectKey(BUCKET, keyName(i)));
      bytes += key + (this.kindOf(i) === 'new' ? dotBytes(dot) : objectBytes(dot, this.value));
    }
    return bytes;
  }
}

type Kind = 'new' | 'overwrite' | 'delete';

/** Any will do: it takes as many bytes as another. */
const ACTOR = actorOf(memberNumber(1), logIndex(10));

const keyName = (i: number): string => `key-${i}`;

function objectBytes(dot: Dot, value: Uint8Array): number {
  const version = encodeVersion({ value, contentType: '', meta: [], stampMs: Date.now() });
  return encodeContainer({ siblings: [{ dot, version }], context: EMPTY_DOTS }).length;
}

function dotBytes(dot: Dot): number {
  const out = new ByteWriter();
  writeDot(out, dot);
  return out.length;
}
