import { crc32 } from 'node:zlib'

/**
 * Frames begin at multiples of this. It is the page of most systems and the block of most file systems: what was
 * acknowledged is never written again with what comes behind it, and no page has to be read to be written.
 */
export const BLOCK_BYTES = 4096

/** One batch of writes in a segment. */
export interface Frame {
  /** Counts the frames of a store and never falls, whatever segment they are in. */
  readonly number: number
  readonly payload: Uint8Array
}

/** 0xff and 0xfe are in no UTF-8: no text that a client wrote looks like the beginning of a frame. */
const MAGIC = Buffer.from([0xff, 0x53, 0x57, 0x41, 0x4c, 0xfe, 0x00, 0x01])
const NUMBER_AT = MAGIC.length
const LENGTH_AT = NUMBER_AT + 8
const CHECKSUM_AT = LENGTH_AT + 4
const PAYLOAD_AT = CHECKSUM_AT + 4

/**
 * Magic, number (u64), length of the payload (u32), the CRC-32 of owner, number, length and payload (all big endian),
 * the payload, zeros up to the end of the block.
 * @param owner whose frame it is; that of another is none
 */
export function encodeFrame(owner: string, { number, payload }: Frame): Buffer {
  const frame = Buffer.alloc(frameBytes(payload.length))
  frame.set(MAGIC)
  frame.writeBigUInt64BE(BigInt(number), NUMBER_AT)
  frame.writeUInt32BE(payload.length, LENGTH_AT)
  frame.set(payload, PAYLOAD_AT)
  frame.writeUInt32BE(checksumOf(owner, frame, payload.length), CHECKSUM_AT)
  return frame
}

/** What a frame takes of a segment. */
export function frameBytes(payloadBytes: number): number {
  return Math.ceil((PAYLOAD_AT + payloadBytes) / BLOCK_BYTES) * BLOCK_BYTES
}

/**
 * All frames from `from` on, in the order in which they lie there, whatever is between them: which of them count,
 * and whether one is missing, their numbers tell. Payloads are views.
 */
export function scanFrames(owner: string, segment: Buffer, from: number): Frame[] {
  const frames: Frame[] = []
  for (let at = from; at + PAYLOAD_AT <= segment.length; ) {
    const frame = frameAt(owner, segment.subarray(at))
    if (frame !== undefined) frames.push(frame)
    at += frame === undefined ? BLOCK_BYTES : frameBytes(frame.payload.length)
  }
  return frames
}

function frameAt(owner: string, bytes: Buffer): Frame | undefined {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const length = bytes.readUInt32BE(LENGTH_AT)
  if (length > bytes.length - PAYLOAD_AT) return undefined
  if (bytes.readUInt32BE(CHECKSUM_AT) !== checksumOf(owner, bytes, length)) return undefined
  return {
    number: Number(bytes.readBigUInt64BE(NUMBER_AT)),
    payload: bytes.subarray(PAYLOAD_AT, PAYLOAD_AT + length),
  }
}

function checksumOf(owner: string, frame: Buffer, length: number): number {
  const head = crc32(frame.subarray(NUMBER_AT, CHECKSUM_AT), crc32(owner))
  return crc32(frame.subarray(PAYLOAD_AT, PAYLOAD_AT + length), head)
}
