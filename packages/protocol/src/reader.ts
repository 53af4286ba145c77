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

  /** An unsigned integer up to 2^53 - 1, seven bits a byte, least significant first, in at most 8 bytes. */
  varUint(): number {
    const first = this.byte()
    return first < 0x80 ? first : this.rest(first & 0x7f, 2 ** 7)
  }

  /**
   * A signed integer of the same range. The first byte carries a continuation bit, a sign bit and six
   * bits; a set sign bit with value 0 is -0.
   */
  varInt(): number {
    const first = this.byte()
    const value = first < 0x80 ? first & 0x3f : this.rest(first & 0x3f, 2 ** 6)
    return (first & 0x40) === 0 ? value : -value
  }

  /** The bytes of an integer behind its first one, which carried `value`. */
  private rest(value: number, factor: number): number {
    // Sums stay below 2^56, but only those up to 2^53 are exact, and those are all that may pass.
    for (let bytes = 2; bytes <= 8; bytes++) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      factor *= 2 ** 7
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
    }
    throw new ProtocolError('malformed', 'integer over 2^53 - 1 or of more than 8 bytes')
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
