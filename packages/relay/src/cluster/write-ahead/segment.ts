import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { RelayError } from '../../errors.js'
import { ByteReader, ByteWriter, MalformedBytes } from '../bytes.js'
import { corrupt, unknownFormat } from '../storage-errors.js'
import { BLOCK_BYTES, encodeFrame, type Frame, frameBytes, scanFrames } from './frame.js'
import type { SegmentFile } from './segment-file.js'

/** The segments of a data directory, which are written in turn. */
export const SEGMENT_FILES = ['strong-0.wal', 'strong-1.wal'] as const

/** Whose segment it is, and which. */
export interface SegmentPlace {
  readonly directory: string
  readonly relayId: string
  readonly index: 0 | 1
}

/** A segment that is written: frame behind frame, from the beginning. */
export class Segment {
  private at = BLOCK_BYTES

  constructor(
    private readonly place: SegmentPlace,
    private readonly file: SegmentFile,
    private readonly bytes: number,
  ) {}

  /** Whether a payload fits behind what was written. */
  hasRoomFor(payloadBytes: number): boolean {
    return this.at + frameBytes(payloadBytes) <= this.bytes
  }

  /** Whether a payload fits at all. */
  canTake(payloadBytes: number): boolean {
    return BLOCK_BYTES + frameBytes(payloadBytes) <= this.bytes
  }

  /** Writes from the beginning again, over frames that are elsewhere on disk. */
  rewind(): void {
    this.at = BLOCK_BYTES
  }

  /** @throws RelayError `log-write`; whether the frame is on disk is open then */
  async append(frame: Frame): Promise<void> {
    const bytes = encodeFrame(ownerOf(this.place), frame)
    await this.file.write(bytes, this.at).catch((cause: Error) => {
      const what = `the disk refused a write to ${pathOf(this.place)} (${cause.message})`
      throw new RelayError('log-write', `${what}; whether it is stored is open`, { cause })
    })
    this.at += bytes.length
  }

  close(): Promise<void> {
    return this.file.close()
  }
}

/** Makes a segment without frames. Its bytes are on disk, its directory entry may not be. */
export async function createSegment(place: SegmentPlace, bytes: number): Promise<void> {
  const content = Buffer.alloc(bytes)
  content.set(encodeHeader(place, bytes))
  // Written out, not only made long: where blocks are still to be found, a flush writes more than one.
  const file = await open(pathOf(place), 'w')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * The frames of a segment, old ones too, and how long it is.
 * @throws RelayError `data-corrupt`, `data-foreign`, `data-version`, `data-not-writable` where it cannot be read
 */
export async function readSegment(place: SegmentPlace): Promise<{ bytes: number; frames: Frame[] }> {
  const content = await contentOf(place)
  if (content === undefined) throw corrupt(`${pathOf(place)} is missing`)
  checkHeader(place, content)
  return { bytes: content.length, frames: framesIn(place, content) }
}

/**
 * Checks that a segment can be made: what is there, if anything, is what a crash left of making it.
 * @throws RelayError `data-corrupt` where it has frames, `data-foreign`, `data-not-writable` where it cannot be read
 */
export async function checkReplaceable(place: SegmentPlace): Promise<void> {
  const content = await contentOf(place)
  if (content === undefined) return
  const header = decodeHeader(content)
  if (header !== undefined) checkOwner(place, header)
  if (framesIn(place, content).length === 0) return
  throw corrupt(`${pathOf(place)} has what was promised after its store was copied`)
}

export function pathOf({ directory, index }: SegmentPlace): string {
  return join(directory, SEGMENT_FILES[index])
}

async function contentOf(place: SegmentPlace): Promise<Buffer | undefined> {
  const path = pathOf(place)
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw new RelayError('data-not-writable', `cannot read ${path}: ${cause.message}`, { cause })
  })
}

function framesIn(place: SegmentPlace, content: Buffer): Frame[] {
  return scanFrames(ownerOf(place), content, BLOCK_BYTES)
}

function ownerOf({ relayId, index }: SegmentPlace): string {
  return `${relayId}/${index}`
}

const MAGIC = 'skein-strong-wal'
const FORMAT = 1
const TEXT_BYTES_MAX = 256
const CHECKSUM_BYTES = 4

/** The first block: it is written once, so that no crash finds it half written. */
function encodeHeader({ relayId, index }: SegmentPlace, bytes: number): Buffer {
  const writer = new ByteWriter()
  writer.text(MAGIC)
  writer.byte(FORMAT)
  writer.text(relayId)
  writer.byte(index)
  writer.uint(bytes)
  const header = writer.finish()
  const block = Buffer.alloc(BLOCK_BYTES)
  block.writeUInt32BE(crc32(header))
  block.set(header, CHECKSUM_BYTES)
  return block
}

interface Header {
  readonly format: number
  readonly relayId: string
  readonly index: number
  readonly bytes: number
}

function checkHeader(place: SegmentPlace, content: Buffer): void {
  const path = pathOf(place)
  const header = decodeHeader(content)
  if (header === undefined) throw corrupt(`the beginning of ${path} is not what was written`)
  if (header.format !== FORMAT) throw unknownFormat(path, header.format, FORMAT)
  checkOwner(place, header)
  if (header.bytes === content.length) return
  throw corrupt(`${path} has ${content.length} bytes, not ${header.bytes}`)
}

function checkOwner(place: SegmentPlace, { relayId, index }: Header): void {
  const path = pathOf(place)
  if (relayId !== place.relayId) {
    throw new RelayError(
      'data-foreign',
      `${path} belongs to relay ${relayId}, its directory to ${place.relayId}. Nothing was changed. Put the ` +
        'files back that belong together',
    )
  }
  if (index !== place.index) throw corrupt(`${path} is segment ${index}, not ${place.index}`)
}

/** Undefined where it is not what was written. */
function decodeHeader(content: Buffer): Header | undefined {
  try {
    const reader = new ByteReader(content.subarray(CHECKSUM_BYTES, BLOCK_BYTES))
    const isOurs = reader.text(TEXT_BYTES_MAX) === MAGIC
    const format = reader.byte()
    const relayId = reader.text(TEXT_BYTES_MAX)
    const index = reader.byte()
    const bytes = reader.uint()
    const checksum = crc32(content.subarray(CHECKSUM_BYTES, CHECKSUM_BYTES + reader.position))
    return isOurs && content.readUInt32BE() === checksum ? { format, relayId, index, bytes } : undefined
  } catch (error) {
    if (error instanceof MalformedBytes) return undefined
    throw error
  }
}
