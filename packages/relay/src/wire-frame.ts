/**
 * A message as the bytes of one unmasked binary WebSocket frame (RFC 6455, section 5.2), made once for
 * all who get it: `ws` would make a header, and two writes, for each. Large ones are remembered as long as
 * the message is, because those who ask for the same large answer may come one after the other.
 */
export function wireFrame(message: Uint8Array): Buffer {
  if (message.length < LARGE_BYTES) return makeFrame(message)
  const known = large.get(message)
  if (known !== undefined) return known
  const made = makeFrame(message)
  large.set(message, made)
  return made
}

const LARGE_BYTES = 64 * 1024
const large = new WeakMap<Uint8Array, Buffer>()

function makeFrame(message: Uint8Array): Buffer {
  const { length } = message
  const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(headBytes + length)
  frame[0] = FIN_BINARY
  if (headBytes === 2) frame[1] = length
  else if (headBytes === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.set(message, headBytes)
  return frame
}

const FIN_BINARY = 0x82
