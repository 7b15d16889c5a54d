import type { Checksum32, LogSegment } from './devices.ts';
import { GROUP_MAGIC, groupAt, groupStartsAt, type LogGroup } from './log-format.ts';

/** A whole group in a segment, or the start of one that is not whole. */
export type ScannedGroup =
  | { readonly kind: 'group'; readonly segment: LogSegment; readonly offset: number; readonly group: LogGroup }
  | { readonly kind: 'torn'; readonly segment: LogSegment; readonly offset: number };

/**
 * Every group of the segments' present lives, in the order in which they were written. Where none starts, the next one is looked for
 * byte by byte. Bodies are views that live as long as they are referenced.
 */
export async function* scanLog(segments: readonly LogSegment[], checksum32: Checksum32): AsyncGenerator<ScannedGroup> {
  for (const segment of segments) {
    const bytes = await readSegment(segment);
    let offset = 0;
    while (offset >= 0 && offset < bytes.length) {
      const group = groupAt(bytes, offset, segment.number, checksum32);
      if (group !== undefined) {
        yield { kind: 'group', segment, offset, group };
        offset = group.end;
        continue;
      }
      if (groupStartsAt(bytes, offset, segment.number)) yield { kind: 'torn', segment, offset };
      offset = bytes.indexOf(GROUP_MAGIC, offset + 1);
    }
  }
}

async function readSegment(segment: LogSegment): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(segment.bytes);
  for (let offset = 0; offset < bytes.length; offset += READ_BYTES) {
    bytes.set(await segment.read(offset, Math.min(READ_BYTES, bytes.length - offset)), offset);
  }
  return bytes;
}

const READ_BYTES = 1 << 20;
