import { crc32 } from 'node:zlib'
import { corrupt } from './entries.js'

/** A record of the LMDB store: the CRC-32 of some bytes, big-endian, then the bytes. */
export function seal(bytes: Uint8Array): Buffer {
  const record = Buffer.alloc(CRC_BYTES + bytes.length)
  record.writeUInt32BE(crc32(bytes))
  record.set(bytes, CRC_BYTES)
  return record
}

/**
 * The bytes of a record, copied out of LMDB's memory.
 * @throws SkeinError `store-corrupt`
 */
export function unseal(record: Uint8Array, directory: string): Uint8Array {
  if (record.length < CRC_BYTES) throw corrupt(directory, 'a record that is cut off')
  const bytes = new Uint8Array(record.subarray(CRC_BYTES))
  const stored = new DataView(record.buffer, record.byteOffset).getUint32(0)
  if (crc32(bytes) !== stored) throw corrupt(directory, 'a record with a wrong checksum')
  return bytes
}

/** A record of one number, as an IEEE double. */
export function sealNumber(value: number): Buffer {
  const bytes = Buffer.alloc(NUMBER_BYTES)
  bytes.writeDoubleBE(value)
  return seal(bytes)
}

/** The number in a record, NaN where there is none. @throws SkeinError `store-corrupt` */
export function unsealNumber(record: Uint8Array, directory: string): number {
  const bytes = unseal(record, directory)
  return bytes.length === NUMBER_BYTES ? new DataView(bytes.buffer).getFloat64(0) : Number.NaN
}

const CRC_BYTES = 4
const NUMBER_BYTES = 8
