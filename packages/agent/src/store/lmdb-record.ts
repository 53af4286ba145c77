import { crc32 } from 'node:zlib'
import { corrupt } from './entries.js'

/**
 * A record of the LMDB store: a CRC-32, big-endian, then the bytes that it vouches for. It also covers
 * the record's key, so that no record can pass for another.
 */
export function seal(key: string | number, bytes: Uint8Array): Buffer {
  const record = Buffer.alloc(CRC_BYTES + bytes.length)
  record.writeUInt32BE(checksum(key, bytes))
  record.set(bytes, CRC_BYTES)
  return record
}

/**
 * The bytes of a record, copied out of LMDB's memory.
 * @throws SkeinError `store-corrupt`
 */
export function unseal(key: string | number, record: Uint8Array, directory: string): Uint8Array {
  if (record.length < CRC_BYTES) throw corrupt(directory, `a record that is cut off (${key})`)
  const bytes = new Uint8Array(record.subarray(CRC_BYTES))
  const stored = new DataView(record.buffer, record.byteOffset).getUint32(0)
  if (checksum(key, bytes) !== stored) throw corrupt(directory, `a record with a wrong checksum (${key})`)
  return bytes
}

/** A record of one number, as an IEEE double. */
export function sealNumber(key: string, value: number): Buffer {
  const bytes = Buffer.alloc(NUMBER_BYTES)
  bytes.writeDoubleBE(value)
  return seal(key, bytes)
}

/** The number in a record, NaN where there is none. @throws SkeinError `store-corrupt` */
export function unsealNumber(key: string, record: Uint8Array, directory: string): number {
  const bytes = unseal(key, record, directory)
  return bytes.length === NUMBER_BYTES ? new DataView(bytes.buffer).getFloat64(0) : Number.NaN
}

function checksum(key: string | number, bytes: Uint8Array): number {
  return crc32(bytes, crc32(String(key)))
}

const CRC_BYTES = 4
const NUMBER_BYTES = 8
