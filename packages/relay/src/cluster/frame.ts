import type { PeerMessage } from '@skein/paxos'
import { ByteReader, ByteWriter, MalformedBytes } from './bytes.js'
import { decodeHello, encodeHello, type Hello } from './hello.js'
import { CLUSTER_LIMITS } from './limits.js'
import { readMessage, writeMessage } from './message-codec.js'

/** In front of every frame. Members of different versions do not talk to each other. */
export const CLUSTER_VERSION = 1

const HELLO = 1
const MESSAGES = 2

export type Frame =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'messages'; readonly messages: readonly PeerMessage[] }

export function encodeHelloFrame(hello: Hello): Buffer {
  const writer = begin(HELLO)
  writer.text(encodeHello(hello))
  return writer.finish()
}

/** As few frames as the sizes allow. */
export function encodeMessageFrames(messages: readonly PeerMessage[]): Buffer[] {
  const frames: Buffer[] = []
  let writer: ByteWriter | undefined
  for (const message of messages) {
    writer ??= begin(MESSAGES)
    writeMessage(writer, message)
    if (writer.length < CLUSTER_LIMITS.frameBytesTarget) continue
    frames.push(writer.finish())
    writer = undefined
  }
  if (writer !== undefined) frames.push(writer.finish())
  return frames
}

/** @throws MalformedBytes */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > CLUSTER_LIMITS.frameBytesMax) throw new MalformedBytes('the frame is too large')
  const reader = new ByteReader(bytes)
  const version = reader.byte()
  if (version !== CLUSTER_VERSION) {
    throw new MalformedBytes(`it speaks version ${version}, this relay ${CLUSTER_VERSION}`)
  }
  const kind = reader.byte()
  if (kind === HELLO) {
    const text = reader.text(CLUSTER_LIMITS.helloBytesMax)
    reader.end()
    return { kind: 'hello', hello: decodeHello(text) }
  }
  if (kind !== MESSAGES) throw new MalformedBytes(`there is no frame ${kind}`)
  const messages: PeerMessage[] = []
  while (!reader.isAtEnd) messages.push(readMessage(reader))
  return { kind: 'messages', messages }
}

function begin(kind: number): ByteWriter {
  const writer = new ByteWriter()
  writer.byte(CLUSTER_VERSION)
  writer.byte(kind)
  return writer
}
