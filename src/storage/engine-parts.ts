import type { DotSet } from '../core/causality/dot-set.ts';
import type { Partition } from '../core/ids.ts';
import type { StoreError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import type { Checkpointer } from './checkpoint.ts';
import type { Checksum32, StateTable } from './devices.ts';
import type { Memtable } from './memtable.ts';
import type { WriteAheadLog } from './write-ahead-log.ts';

/** What the engine is made of, at the state that the log's end has brought it to. */
export interface EngineParts {
  readonly log: WriteAheadLog;
  readonly state: StateTable;
  readonly memtable: Memtable;
  readonly checkpointer: Checkpointer;
  readonly clocks: Map<Partition, DotSet>;
  /** In the state table. */
  readonly objects: number;
  readonly clock: Clock;
  readonly checksum32: Checksum32;
  readonly logger: Logger;
  readonly checkpointBytes: number;
  readonly checkpointDelayMs: number;
  readonly memtableBytesMax: number;
  /** Called once, with the reason why the process must end. */
  readonly failed: (error: StoreError) => void;
  /** Gives up the data folder, last of all. */
  readonly release: () => Promise<void>;
}
