import type { DotSet } from '../core/causality/dot-set.ts';
import type { Partition } from '../core/ids.ts';
import type { Checksum32, StateEntry, StateTable } from './devices.ts';
import {
  ALL_CLOCKS,
  clockPartition,
  metaKeyText,
  metaStateKey,
  prefixEnd,
  readClock,
  stateValue,
  wholeStateValue,
} from './state-format.ts';

/** The meta records of the table whose key starts with `prefix`; a damaged one without its value. */
export function* metaInTable(
  state: StateTable,
  checksum32: Checksum32,
  prefix: string,
): Generator<readonly [key: string, value: Uint8Array | undefined]> {
  const start = metaStateKey(prefix);
  for (const entry of entriesBetween(state, start, prefixEnd(start))) {
    yield [metaKeyText(entry.key), wholeStateValue(entry, checksum32)];
  }
}

/** The clocks of all partitions, as of the table's completed sequence. */
export function clocksInTable(state: StateTable, checksum32: Checksum32): Map<Partition, DotSet> {
  const clocks = new Map<Partition, DotSet>();
  for (const entry of entriesBetween(state, ...ALL_CLOCKS)) {
    const partition = clockPartition(entry.key);
    clocks.set(partition, readClock(stateValue(entry, checksum32, `the clock of partition ${partition}`)));
  }
  return clocks;
}

/** In chunks, so that no read of the table is open for long. */
function* entriesBetween(state: StateTable, from: Uint8Array, end: Uint8Array): Generator<StateEntry> {
  let start = from;
  for (;;) {
    let count = 0;
    let last = start;
    for (const entry of state.range(start, end)) {
      yield entry;
      last = entry.key;
      if (++count === CHUNK_ENTRIES) break;
    }
    if (count < CHUNK_ENTRIES) return;
    start = Buffer.concat([last, Buffer.of(0)]);
  }
}

const CHUNK_ENTRIES = 1000;
