import type { Distribution } from '../report/bench-report.ts';
import type { Operation, OperationKind } from '../stores/store.ts';
import { type KeyChooser, latest, scrambledZipfian, uniform } from './key-chooser.ts';
import type { Mix } from './mix.ts';

export interface OperationSourceOptions {
  readonly mix: Mix;
  readonly distribution: Distribution;
  /** That were written before: key-0 and so on. */
  readonly keys: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface DrawnOperation extends Operation {
  /** Of the key. */
  readonly number: number;
}

/** Draws operations for all connections of a run. */
export class OperationSource {
  private readonly mix: Mix;
  private readonly keys: number;
  private readonly random: () => number;
  private readonly choose: KeyChooser;
  /** In the names of inserted keys: what another run inserted is not there yet for this one. */
  private readonly tag: string;
  /** Keys below it are written: only those are read. An insert that failed counts as well, as in YCSB, or nothing newer would ever be read. */
  private written: number;
  private nextInsert: number;
  private readonly insertedEarly = new Set<number>();

  constructor({ mix, distribution, keys, random }: OperationSourceOptions) {
    this.mix = mix;
    this.keys = keys;
    this.random = random;
    this.written = keys;
    this.nextInsert = keys;
    this.tag = Math.floor(random() * 2 ** 32).toString(36);
    this.choose = {
      uniform: () => uniform(keys, random),
      zipfian: () => scrambledZipfian(keys, random),
      latest: () => latest(() => this.written, random),
    }[distribution]();
  }

  next(): DrawnOperation {
    const kind = this.nextKind();
    const number = kind === 'insert' ? this.nextInsert++ : this.choose();
    return { kind, number, key: number < this.keys ? keyName(number) : `${keyName(number)}-${this.tag}` };
  }

  /** To be said of each operation when it ended, however it did. */
  ended({ kind, number }: DrawnOperation): void {
    if (kind !== 'insert') return;
    this.insertedEarly.add(number);
    while (this.insertedEarly.delete(this.written)) this.written++;
  }

  private nextKind(): OperationKind {
    const { read, update, insert } = this.mix;
    const u = this.random();
    if (u < read) return 'read';
    if (u < read + update) return 'update';
    return u < read + update + insert ? 'insert' : 'read-modify-write';
  }
}

export const keyName = (key: number): string => `key-${key}`;
