import { DecodeError } from '../core/bytes.ts';
import { FatalError } from '../errors.ts';
import type { Logger, Sequence } from '../ports.ts';
import type { Checksum32, LogSegment } from './devices.ts';
import { type LogGroup, type LogRecord, recordsOf } from './log-format.ts';
import { scanLog } from './log-scan.ts';

/**
 * Reads the log after a crash: every change later than `completed`, in order and without a gap. Returns the last one's sequence.
 *
 * The change wanted next is missing when a power cut tore the log's tail, or when something damaged the log. It is damage if any
 * later group says that it had been flushed. Otherwise nobody was ever told that it is durable, and it is dropped with all that
 * follows. (Damage to the very last group that was flushed cannot be told from a torn tail: nothing follows that would vouch
 * for it.) Changes up to `completed` are in the state already, so it does not matter if they are missing here.
 */
export async function replayLog(options: ReplayOptions): Promise<Sequence> {
  let last = options.completed;
  let end: Place | undefined;
  let droppedBytes = 0;
  for await (const found of scanLog(options.segments, options.checksum32)) {
    const place = { segment: found.segment, offset: found.offset };
    if (found.kind === 'torn') {
      end ??= place;
      continue;
    }
    const { group } = found;
    const groupLast = group.first + group.count - 1;
    if (groupLast <= last) continue;
    if (droppedBytes === 0 && group.first <= last + 1) {
      await options.changes(changesAfter(last, group, place));
      last = groupLast;
      end = undefined;
      continue;
    }
    end ??= place;
    if (group.flushed > last)
      throw damage(end, `change ${last + 1} is missing, which change ${group.first} knew to be on disk`);
    droppedBytes += group.end - found.offset;
  }
  if (end !== undefined) {
    const fields = { segment: end.segment.name, offset: end.offset, wholeGroupBytes: droppedBytes, lastChange: last };
    options.logger.warn(fields, 'dropped the torn tail of the log: it had never been flushed');
  }
  return last;
}

export interface ReplayOptions {
  /** In ascending order of their numbers. */
  readonly segments: readonly LogSegment[];
  readonly completed: Sequence;
  readonly checksum32: Checksum32;
  readonly logger: Logger;
  /** Takes the changes of one group. Their byte strings are views: copy what is kept. */
  readonly changes: (changes: ReplayedChanges) => Promise<void>;
}

export interface ReplayedChanges {
  /** The sequence of the first record. */
  readonly first: Sequence;
  readonly records: readonly LogRecord[];
}

interface Place {
  readonly segment: LogSegment;
  readonly offset: number;
}

/** A checkpoint may have ended in the middle of the group. */
function changesAfter(last: Sequence, group: LogGroup, place: Place): ReplayedChanges {
  const first = Math.max(group.first, last + 1);
  try {
    return { first, records: recordsOf(group).slice(first - group.first) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw damage(place, `change ${group.first} is in no known form (${error.message})`);
  }
}

function damage(place: Place, what: string): FatalError {
  return new FatalError(
    `The log is damaged in ${place.segment.name} at offset ${place.offset}: ${what}. ` +
      'This node cannot start with this data. Set the folder aside and start with an empty one: the node then fetches everything from the other owners.',
  );
}
