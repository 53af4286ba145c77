import { ProtocolError } from './error.js'

/**
 * The length in UTF-16 code units of the string that these bytes encode. Yjs counts clocks in these
 * units, so a relay needs the length, but not the string.
 * @throws ProtocolError `malformed` where a strict UTF-8 decoder would refuse (RFC 3629, section 4)
 */
export function utf16Length(bytes: Uint8Array): number {
  let units = 0
  const length = bytes.length
  for (let i = 0; i < length; ) {
    const first = bytes[i]!
    if (first < 0x80) {
      i += 1
      units += 1
    } else if (first >= 0xc2 && first <= 0xdf) {
      continuation(bytes, i + 1, 0x80, 0xbf)
      i += 2
      units += 1
    } else if (first >= 0xe0 && first <= 0xef) {
      // 0xe0 excludes overlong forms, 0xed excludes surrogates
      continuation(bytes, i + 1, first === 0xe0 ? 0xa0 : 0x80, first === 0xed ? 0x9f : 0xbf)
      continuation(bytes, i + 2, 0x80, 0xbf)
      i += 3
      units += 1
    } else if (first >= 0xf0 && first <= 0xf4) {
      // 0xf0 excludes overlong forms, 0xf4 excludes what lies beyond U+10FFFF
      continuation(bytes, i + 1, first === 0xf0 ? 0x90 : 0x80, first === 0xf4 ? 0x8f : 0xbf)
      continuation(bytes, i + 2, 0x80, 0xbf)
      continuation(bytes, i + 3, 0x80, 0xbf)
      i += 4
      units += 2
    } else {
      throw new ProtocolError('malformed', 'string is not valid UTF-8')
    }
  }
  return units
}

function continuation(bytes: Uint8Array, at: number, low: number, high: number): void {
  const byte = bytes[at]
  if (byte === undefined || byte < low || byte > high) {
    throw new ProtocolError('malformed', 'string is not valid UTF-8')
  }
}
