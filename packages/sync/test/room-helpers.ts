import { encodeFrame, writeAwarenessEntries } from '@skein/protocol'
import type { RoomEffects } from '../src/index.js'
import { emptyRoom, joined, type TestRoom } from './helpers.js'

export const plain = (update: Uint8Array) => encodeFrame({ type: 'update', update })
export const numbered = (seq: number, update: Uint8Array) =>
  encodeFrame({ type: 'numbered-update', seq, answersStep1: false, update })
export const presence = (client: number, clock: number, state: unknown) =>
  encodeFrame({
    type: 'awareness',
    update: writeAwarenessEntries([
      { client, clock, state: new TextEncoder().encode(JSON.stringify(state)) },
    ]),
  })

export function roomWith(...members: number[]): TestRoom {
  const room = emptyRoom()
  for (const member of members) {
    room.join(0, member, true)
    room.receive(0, member, helloWith([]))
  }
  return room
}

/** A frame that arrives alone: what the room does at once and at the end of the tick. */
export function receiveAndFlush(room: TestRoom, member: number, frame: Uint8Array): RoomEffects {
  const now = room.receive(0, member, frame)
  return joined(now, room.flush(0))
}

export function isAck({ type }: { readonly type: string }): boolean {
  return type === 'ack'
}

export function helloWith(features: string[], epoch = ''): Uint8Array {
  return encodeFrame({
    type: 'hello',
    versionMin: 1,
    versionMax: 1,
    id: 'agent',
    frameBytesMax: 1 << 20,
    updateBytesMax: 1 << 20,
    features,
    epoch,
  })
}
