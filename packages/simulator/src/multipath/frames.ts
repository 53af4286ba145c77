import { decodeFrame, isAwarenessNull, MESSAGE_IDS, readAwarenessEntries, scanUpdate } from '@skein/protocol'

/** A frame's head, without decoding what it holds: every frame of a world is looked at. */
export type FrameHead =
  | { readonly type: 'numbered-update'; readonly seq: number }
  | { readonly type: 'chunk'; readonly inner: FrameHead | undefined; readonly isLast: boolean }
  | { readonly type: 'sync-step-1' | 'sync-step-2' | 'update' | 'hello' | 'other' }

const SYNC_TYPES = ['sync-step-1', 'sync-step-2', 'update'] as const

export function frameHead(frame: Uint8Array): FrameHead {
  switch (frame[0]) {
    case MESSAGE_IDS['sync-step-1']:
      return { type: SYNC_TYPES[frame[1]!] ?? 'other' }
    case MESSAGE_IDS.hello:
      return { type: 'hello' }
    case MESSAGE_IDS['numbered-update']:
      return { type: 'numbered-update', seq: varUint(frame, 1).value }
    case MESSAGE_IDS.chunk: {
      const total = varUint(frame, 1)
      const offset = varUint(frame, total.end)
      const length = varUint(frame, offset.end)
      return {
        type: 'chunk',
        inner: offset.value === 0 ? frameHead(frame.subarray(length.end)) : undefined,
        isLast: offset.value + length.value === total.value,
      }
    }
    default:
      return { type: 'other' }
  }
}

/** For the log. */
export function describeFrame(frame: Uint8Array): string {
  const message = decodeFrame(frame)
  const parts: string[] = [message.type]
  if ('seq' in message) parts.push(String(message.seq))
  if ('to' in message) parts.push(`to ${message.to}`)
  if ('tier' in message) parts.push(message.tier)
  if ('on' in message) parts.push(message.on ? 'on' : 'off')
  if ('answersStep1' in message && message.answersStep1) parts.push('answers')
  if ('update' in message && message.type !== 'awareness') parts.push(describeUpdate(message.update))
  if (message.type === 'awareness') {
    for (const { client, clock, state } of readAwarenessEntries(message.update)) {
      parts.push(`${client}@${clock}${isAwarenessNull(state) ? ' gone' : ''}`)
    }
  }
  if ('stateVector' in message) parts.push(`[${message.stateVector.join(' ')}]`)
  if ('digest' in message && message.digest !== undefined) parts.push(message.digest.slice(0, 8))
  if ('features' in message) parts.push(`(${message.features.join(' ')}) ${message.epoch}`)
  return `${parts.join(' ')}, ${frame.length} bytes`
}

/** Which structs it brings, and which it deletes. */
export function describeUpdate(update: Uint8Array): string {
  const parts: string[] = []
  scanUpdate(update, {
    structs: (client, clock, length) => void parts.push(`${client}@${clock}+${length}`),
    deletion: (client, clock, length) => void parts.push(`-${client}@${clock}+${length}`),
  })
  return `{${parts.join(' ')}}`
}

function varUint(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } {
  let value = 0
  let factor = 1
  for (let end = at; ; end++) {
    const byte = bytes[end]!
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return { value, end: end + 1 }
    factor *= 128
  }
}
