import { ProtocolError } from './error.js'

/**
 * Checks that bytes are one JSON text (RFC 8259) nested at most `depthMax` deep, without building it.
 * The bytes must be known to be valid UTF-8. What passes here does not make `JSON.parse` throw in a
 * receiver that nobody warned.
 * @throws ProtocolError `malformed`, or `too-large` for the depth
 */
export function checkJson(bytes: Uint8Array, depthMax: number): void {
  const scanner = new JsonScanner(bytes, depthMax)
  scanner.space()
  scanner.value(0)
  scanner.space()
  if (scanner.pos !== bytes.length) throw scanner.bad()
}

const LITERALS = ['true', 'false', 'null'].map((word) => Uint8Array.from(word, (c) => c.charCodeAt(0)))

class JsonScanner {
  pos = 0
  constructor(
    private readonly bytes: Uint8Array,
    private readonly depthMax: number,
  ) {}

  bad(): ProtocolError {
    return new ProtocolError('malformed', `not JSON at byte ${this.pos}`)
  }

  space(): void {
    for (;;) {
      const c = this.bytes[this.pos]
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return
      this.pos++
    }
  }

  value(depth: number): void {
    if (depth > this.depthMax) {
      throw new ProtocolError('too-large', `JSON is nested more than ${this.depthMax} deep`)
    }
    const c = this.bytes[this.pos]
    if (c === 0x22) this.string()
    else if (c === 0x7b) this.list(0x7d, depth, true)
    else if (c === 0x5b) this.list(0x5d, depth, false)
    else if (c === 0x2d || isDigit(c)) this.number()
    else this.literal()
  }

  /** An object or array: `close` ends it, `keyed` says whether each value follows a key and a colon. */
  private list(close: number, depth: number, keyed: boolean): void {
    this.pos++
    this.space()
    if (this.eat(close)) return
    for (;;) {
      if (keyed) {
        this.space()
        if (this.bytes[this.pos] !== 0x22) throw this.bad()
        this.string()
        this.space()
        if (!this.eat(0x3a)) throw this.bad()
      }
      this.space()
      this.value(depth + 1)
      this.space()
      if (this.eat(close)) return
      if (!this.eat(0x2c)) throw this.bad()
    }
  }

  private string(): void {
    this.pos++
    for (;;) {
      const c = this.bytes[this.pos]
      if (c === undefined || c < 0x20) throw this.bad()
      this.pos++
      if (c === 0x22) return
      if (c === 0x5c) this.escape()
    }
  }

  private escape(): void {
    const c = this.bytes[this.pos++]
    if (c === 0x75) {
      for (let i = 0; i < 4; i++) if (!isHexDigit(this.bytes[this.pos++])) throw this.bad()
    } else if (c === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(c))) {
      throw this.bad()
    }
  }

  private number(): void {
    this.eat(0x2d)
    if (!this.eat(0x30)) this.digits()
    if (this.eat(0x2e)) this.digits()
    if (this.eat(0x65) || this.eat(0x45)) {
      if (!this.eat(0x2b)) this.eat(0x2d)
      this.digits()
    }
  }

  private digits(): void {
    if (!isDigit(this.bytes[this.pos])) throw this.bad()
    while (isDigit(this.bytes[this.pos])) this.pos++
  }

  private literal(): void {
    for (const word of LITERALS) {
      if (word.every((c, i) => this.bytes[this.pos + i] === c)) {
        this.pos += word.length
        return
      }
    }
    throw this.bad()
  }

  private eat(c: number): boolean {
    if (this.bytes[this.pos] !== c) return false
    this.pos++
    return true
  }
}

function isDigit(c: number | undefined): boolean {
  return c !== undefined && c >= 0x30 && c <= 0x39
}

function isHexDigit(c: number | undefined): boolean {
  return isDigit(c) || (c !== undefined && ((c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66)))
}
