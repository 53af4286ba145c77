import { decodeUtf8 } from 'lib0/string'
import { ProtocolError } from './error.js'
import { utf16Length } from './utf8.js'

/**
 * Reads lib0-encoded values (the encoding of Yjs and y-protocols) from bytes that nobody vouches for.
 * Every method throws only {@link ProtocolError}, and none allocates before the length is known to be
 * there. Byte arrays are views into the input, not copies.
 */
export class Reader {
  pos = 0
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get remaining(): number {
    return this.bytes.length - this.pos
  }

  byte(): number {
    const value = this.bytes[this.pos]
    if (value === undefined) throw truncated(this.pos, 1)
    this.pos++
    return value
  }

  /** An unsigned integer up to 2^53 - 1, seven bits a byte, least significant first. */
  varUint(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (value > Number.MAX_SAFE_INTEGER) throw new ProtocolError('malformed', 'integer over 2^53 - 1')
      if (byte < 0x80) return value
      factor *= 128
      if (factor > 2 ** 56) throw new ProtocolError('malformed', 'integer of more than 9 bytes')
    }
  }

  /** A signed integer: the first byte carries a continuation bit, a sign bit and six bits. */
  varInt(): number {
    const first = this.byte()
    let value = first & 0x3f
    let factor = 64
    let more = first >= 0x80
    while (more) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (value > Number.MAX_SAFE_INTEGER) throw new ProtocolError('malformed', 'integer over 2^53 - 1')
      factor *= 128
      if (factor > 2 ** 57) throw new ProtocolError('malformed', 'integer of more than 9 bytes')
      more = byte >= 0x80
    }
    return (first & 0x40) === 0 ? value : -value
  }

  /** An unsigned integer that must not exceed `max`. */
  varUintMax(max: number, what: string): number {
    const value = this.varUint()
    if (value > max) throw new ProtocolError('too-large', `${what}: ${value} is over the limit of ${max}`)
    return value
  }

  /** The next `length` bytes, as a view. */
  take(length: number): Uint8Array {
    if (length > this.remaining) throw truncated(this.pos, length)
    const view = this.bytes.subarray(this.pos, this.pos + length)
    this.pos += length
    return view
  }

  /** A length-prefixed byte array, as a view. */
  varBytes(max: number, what: string): Uint8Array {
    return this.take(this.varUintMax(max, what))
  }

  /** A length-prefixed string of at most `bytesMax` bytes of valid UTF-8. */
  varString(bytesMax: number, what: string): string {
    const bytes = this.varBytes(bytesMax, what)
    utf16Length(bytes)
    return decodeUtf8(bytes)
  }
}

function truncated(pos: number, wanted: number): ProtocolError {
  return new ProtocolError('truncated', `input ends at byte ${pos} where ${wanted} more are needed`)
}
