import type { StateEntry, StateTable, StateWrite } from './devices.ts';
import type { Settle } from './memory-log-device.ts';

/** The state table in memory: what has been committed survives a power cut, and nothing else does. */
export class MemoryStateTable implements StateTable {
  private readonly settle: Settle;
  /** Keys as Latin-1 text: compares as bytes do. */
  private readonly entries: Map<string, Uint8Array>;

  constructor(settle: Settle = () => Promise.resolve(), entries = new Map<string, Uint8Array>()) {
    this.settle = settle;
    this.entries = entries;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.entries.get(textOf(key));
    return value === undefined ? undefined : Buffer.from(value);
  }

  *range(start: Uint8Array, end: Uint8Array): Generator<StateEntry, void> {
    const [from, to] = [textOf(start), textOf(end)];
    const found = [...this.entries].filter(([key]) => key >= from && key < to).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, value] of found) yield { key: Buffer.from(key, 'latin1'), value: Buffer.from(value) };
  }

  count(start: Uint8Array, end: Uint8Array): number {
    const [from, to] = [textOf(start), textOf(end)];
    let count = 0;
    for (const key of this.entries.keys()) if (key >= from && key < to) count++;
    return count;
  }

  async write(batch: readonly StateWrite[]): Promise<void> {
    await this.settle('commit');
    for (const { key, value } of batch) {
      if (value === undefined) this.entries.delete(textOf(key));
      else this.entries.set(textOf(key), Uint8Array.from(value));
    }
  }

  /** What a disk does by itself to a record that lies there: other bytes are in its place from now on. */
  spoil(key: Uint8Array, value: Uint8Array): void {
    this.entries.set(textOf(key), Uint8Array.from(value));
  }

  bytes(): number {
    return [...this.entries].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  }

  async close(): Promise<void> {}

  /** The table as a power cut at this moment leaves it. */
  afterPowerCut(settle?: Settle): MemoryStateTable {
    return new MemoryStateTable(settle, new Map(this.entries));
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
