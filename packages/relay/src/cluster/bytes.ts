/** Bytes that are not what they have to be: whoever sent them is not to be believed in anything. */
export class MalformedBytes extends Error {
  override readonly name = 'MalformedBytes'
}

/** Writes numbers and texts one behind the other. */
export class ByteWriter {
  private buffer = Buffer.allocUnsafe(256)
  private used = 0

  get length(): number {
    return this.used
  }

  byte(value: number): void {
    this.reserve(1)
    this.buffer[this.used++] = value
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, the lowest first. */
  uint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no counter`)
    this.reserve(8)
    let rest = value
    while (rest > 0x7f) {
      this.buffer[this.used++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.buffer[this.used++] = rest
  }

  /** The length of its UTF-8, then that. */
  text(value: string): void {
    const bytes = Buffer.byteLength(value)
    this.uint(bytes)
    this.reserve(bytes)
    this.buffer.write(value, this.used)
    this.used += bytes
  }

  /** All that was written, as a view: nothing may be written after. */
  finish(): Buffer {
    return this.buffer.subarray(0, this.used)
  }

  private reserve(bytes: number): void {
    const needed = this.used + bytes
    if (needed <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.buffer.length))
    this.buffer.copy(larger, 0, 0, this.used)
    this.buffer = larger
  }
}

// What begins with a byte order mark keeps it: a text is to come out as it went in.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads what `ByteWriter` wrote, from somebody who may have written something else. Throws `MalformedBytes`. */
export class ByteReader {
  private at = 0

  constructor(private readonly bytes: Uint8Array) {}

  /** How many bytes were read. */
  get position(): number {
    return this.at
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length
  }

  byte(): number {
    const value = this.bytes[this.at]
    if (value === undefined) throw new MalformedBytes('it ends in the middle')
    this.at++
    return value
  }

  uint(): number {
    let value = 0
    let weight = 1
    for (let i = 0; i < 8; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * weight
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break
        return value
      }
      weight *= 0x80
    }
    throw new MalformedBytes('a number is above 2^53 - 1')
  }

  /** How many of something follow. Each takes at least one byte, so there cannot be more than bytes are left. */
  count(max: number): number {
    const value = this.uint()
    if (value > max || value > this.bytes.length - this.at) throw new MalformedBytes(`${value} are too many`)
    return value
  }

  text(bytesMax: number, bytesMin = 0): string {
    const length = this.count(bytesMax)
    if (length < bytesMin) throw new MalformedBytes('a text is too short')
    const end = this.at + length
    try {
      const value = UTF8.decode(this.bytes.subarray(this.at, end))
      this.at = end
      return value
    } catch {
      throw new MalformedBytes('a text is not UTF-8')
    }
  }

  boolean(): boolean {
    const value = this.byte()
    if (value > 1) throw new MalformedBytes(`${value} is neither yes nor no`)
    return value === 1
  }

  end(): void {
    if (!this.isAtEnd) throw new MalformedBytes('there is more than there should be')
  }
}
