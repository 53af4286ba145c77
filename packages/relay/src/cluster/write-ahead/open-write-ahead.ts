import { flushDirectory } from '../../data/durable-file.js'
import { RelayError } from '../../errors.js'
import { corrupt } from '../storage-errors.js'
import { decodeBatch, latestOf } from './batch.js'
import { BLOCK_BYTES, type Frame } from './frame.js'
import {
  checkReplaceable,
  createSegment,
  pathOf,
  readSegment,
  Segment,
  type SegmentPlace,
} from './segment.js'
import { type OpenSegmentFile, openSegmentFile } from './segment-file.js'
import { type Checkpoint, WriteAhead } from './write-ahead.js'

export interface WriteAheadOptions {
  /** Of each of the two files, where they are made; a multiple of `BLOCK_BYTES`. */
  readonly segmentBytes?: number
  readonly openFile?: OpenSegmentFile
}

/** 255 small batches: the commit of LMDB after them costs each 1 % of a flush, and a start reads 2 MiB. */
const SEGMENT_BYTES = 256 * BLOCK_BYTES

/**
 * Opens the write-ahead files of a data directory: what is in them and not in the store behind goes there first. Makes
 * them where the store behind knows of none.
 * @param appliedNumber frames up to this are in the store behind; undefined where it knows of no files
 * @throws RelayError `data-corrupt`, `data-foreign`, `data-version`, `data-not-writable`, `log-write`
 */
export async function openWriteAhead(
  { path: directory, relayId }: { readonly path: string; readonly relayId: string },
  appliedNumber: number | undefined,
  checkpoint: Checkpoint,
  { segmentBytes = SEGMENT_BYTES, openFile = openSegmentFile }: WriteAheadOptions = {},
): Promise<WriteAhead> {
  const places = ([0, 1] as const).map((index) => ({ directory, relayId, index }))
  if (appliedNumber === undefined) await createSegments(directory, places, segmentBytes)
  const found = await Promise.all(places.map(readSegment))
  const frames = missedFrames(
    found.flatMap((segment) => segment.frames),
    appliedNumber ?? 0,
  )
  // One more than was found: the number of a frame that a crash left half written is not used again.
  const lastNumber = (frames.at(-1)?.number ?? appliedNumber ?? 0) + 1
  const writes = latestOf(frames.flatMap(({ payload }) => decodeBatch(payload)))
  await checkpoint(writes.values(), lastNumber)
  const [first, second] = await openSegments(
    places,
    found.map(({ bytes }) => bytes),
    openFile,
  )
  return new WriteAhead(first!, second!, lastNumber, checkpoint)
}

/**
 * The frames that the store behind does not have, in their order. One frame at a time is written, so that each proves
 * that all before it were on disk: the last alone can be one that a crash left unfinished.
 * @throws RelayError `data-corrupt` where one is missing before another
 */
export function missedFrames(frames: readonly Frame[], appliedNumber: number): Frame[] {
  const missed = frames.filter(({ number }) => number > appliedNumber).sort((a, b) => a.number - b.number)
  for (const [i, { number }] of missed.entries()) {
    const expected = appliedNumber + 1 + i
    if (number === expected) continue
    throw corrupt(`the write-ahead files have frame ${number}, but frame ${expected} is not what was written`)
  }
  return missed
}

async function createSegments(
  directory: string,
  places: readonly SegmentPlace[],
  bytes: number,
): Promise<void> {
  for (const place of places) await checkReplaceable(place)
  try {
    for (const place of places) await createSegment(place, bytes)
    await flushDirectory(directory)
  } catch (cause) {
    throw new RelayError(
      'data-not-writable',
      `cannot make the write-ahead files (${places.length} of ${bytes} bytes) in ${directory}: ` +
        `${(cause as Error).message}. Give the disk space and the relay's user write access`,
      { cause },
    )
  }
}

async function openSegments(
  places: readonly SegmentPlace[],
  bytes: readonly number[],
  openFile: OpenSegmentFile,
): Promise<Segment[]> {
  const segments: Segment[] = []
  try {
    for (const [i, place] of places.entries()) {
      segments.push(new Segment(place, await openFile(pathOf(place)), bytes[i]!))
    }
    return segments
  } catch (cause) {
    await Promise.all(segments.map((segment) => segment.close()))
    const what = `cannot write the write-ahead files: ${(cause as Error).message}`
    throw new RelayError('data-not-writable', `${what}. Give the relay's user write access`, { cause })
  }
}
