import { crc32 } from 'node:zlib'

const LENGTH_BYTES = 2
const POSITION_BYTES = 8
const CHECKSUM_BYTES = 4
/** 128 UTF-16 units are at most 384 bytes; the rest is air. LMDB itself takes keys up to 1978 bytes. */
const ROOM_BYTES_MAX = 1024

/**
 * The key of one update: the room's length in bytes (u16), its UTF-8, then the position (u64), all big
 * endian. The length in front keeps any room from being a prefix of another; big endian makes the order of
 * bytes the order of positions.
 * @throws RangeError for a name that is empty, longer than 1024 bytes, or has no exact UTF-8
 */
export function encodeKey(room: string, position: number): Buffer {
  // A lone surrogate becomes U+FFFD in UTF-8, and two rooms would become one.
  if (/\p{Surrogate}/u.test(room)) throw new RangeError('the room name is not well-formed Unicode')
  const roomBytes = Buffer.byteLength(room)
  if (roomBytes === 0 || roomBytes > ROOM_BYTES_MAX) {
    throw new RangeError(`the room name has ${roomBytes} bytes, not 1 to ${ROOM_BYTES_MAX}`)
  }
  const key = Buffer.allocUnsafe(LENGTH_BYTES + roomBytes + POSITION_BYTES)
  key.writeUInt16BE(roomBytes, 0)
  key.write(room, LENGTH_BYTES)
  key.writeBigUInt64BE(BigInt(position), LENGTH_BYTES + roomBytes)
  return key
}

/** The key of a room's epoch: one without a position, below all others of the room and above other rooms'. */
export function epochKey(room: string): Buffer {
  return encodeKey(room, 0).subarray(0, -POSITION_BYTES)
}

/** Above all keys of a room and below those of the next. */
export function behindRoom(room: string): Buffer {
  return Buffer.concat([epochKey(room), Buffer.alloc(POSITION_BYTES + 1, 0xff)])
}

/** The room of any key. */
export function roomOfKey(key: Buffer): string {
  return key.toString('utf8', LENGTH_BYTES, LENGTH_BYTES + key.readUInt16BE(0))
}

/** The position that a key ends with; NaN where it cannot end with one, which only damage can do. */
export function positionOfKey(key: Buffer): number {
  if (key.length < POSITION_BYTES) return Number.NaN
  return Number(key.readBigUInt64BE(key.length - POSITION_BYTES))
}

/** What is stored under a key: the CRC-32 of key and update (big endian), then the update's bytes. */
export function encodeRecord(key: Buffer, update: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(CHECKSUM_BYTES + update.length)
  record.writeUInt32BE(crc32(update, crc32(key)), 0)
  record.set(update, CHECKSUM_BYTES)
  return record
}

/** The update in a record, as a view on it; undefined where key or bytes are not what was written. */
export function decodeRecord(key: Buffer, record: Buffer): Uint8Array | undefined {
  if (record.length < CHECKSUM_BYTES) return undefined
  const update = new Uint8Array(
    record.buffer,
    record.byteOffset + CHECKSUM_BYTES,
    record.length - CHECKSUM_BYTES,
  )
  return record.readUInt32BE(0) === crc32(update, crc32(key)) ? update : undefined
}
