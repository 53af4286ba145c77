import {
  decodeStateVector,
  encodeFrame,
  type NewsMessage,
  readAwarenessEntries,
  STANDBY_FEATURE,
} from '@skein/protocol'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { documentDigest, KEEP_ALIVE_MS } from '../src/index.js'
import { sentTo, updateOf } from './helpers.js'
import { helloWith, numbered, plain, presence, receiveAndFlush, roomWith } from './room-helpers.js'

const standby = (on: boolean) => encodeFrame({ type: 'standby', on })
const PERSON = { name: 'a' }

/** Members 1 and 2, of which 2 stands by. */
function roomWithStandby() {
  const room = roomWith(1, 2)
  room.receive(0, 2, standby(true))
  return room
}

function clocksIn(messages: readonly { readonly type: string }[]) {
  return messages.map((message) => {
    expect(message.type).toBe('news')
    return [...decodeStateVector((message as NewsMessage).stateVector)]
  })
}

describe('R26 a member that stands by', () => {
  test('R26 hears who wrote and how far, not what', () => {
    const room = roomWithStandby()
    room.receive(0, 1, plain(updateOf('a', 1, 7)))
    expect(clocksIn(sentTo(room.flush(0), 2))).toEqual([[[7, 1]]])
    room.receive(0, 1, presence(5, 1, PERSON))
    expect(sentTo(room.receive(0, 1, presence(5, 2, PERSON)), 2)).toEqual([])
  })

  test('R26 hears of what follows at once within 100 ms, all in one', () => {
    const room = roomWithStandby()
    const doc = new Y.Doc()
    doc.clientID = 9
    const edit = (value: number) => {
      const before = Y.encodeStateVector(doc)
      doc.getMap('state').set('a', value)
      return plain(Y.encodeStateAsUpdate(doc, before))
    }
    for (const [nowMs, value] of [
      [1_000, 1],
      [1_020, 2],
      [1_040, 3],
    ] as const) {
      room.receive(nowMs, 1, edit(value))
      expect(sentTo(room.flush(nowMs), 2)).toHaveLength(value === 1 ? 1 : 0)
    }
    expect(room.deadline).toBe(1_100)
    expect(sentTo(room.timeout(1_099), 2)).toEqual([])
    expect(clocksIn(sentTo(room.timeout(1_100), 2))).toEqual([[[9, 3]]])
    expect(room.deadline).toBeGreaterThan(1_100)
  })

  test('R26 hears nothing where nobody wrote', () => {
    const room = roomWithStandby()
    receiveAndFlush(room, 1, plain(updateOf('a', 1, 7)))
    room.timeout(KEEP_ALIVE_MS)
    expect(sentTo(room.timeout(2 * KEEP_ALIVE_MS), 2)).toEqual([
      expect.objectContaining({ type: 'awareness' }),
    ])
  })

  // Seeds 129 and 189 of the simulator: a relay had thrown updates away, and who had them never heard that all others
  // missed something.
  test('R26 is told with each sweep that something is missing in between', () => {
    const room = roomWithStandby()
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (const key of ['a', 'b']) doc.getMap('state').set(key, key)
    room.receive(0, 1, plain(updates[1]!))
    room.flush(0)
    const digests = (nowMs: number) =>
      sentTo(room.timeout(nowMs), 2).flatMap((message) =>
        message.type === 'news' ? ((message as NewsMessage).digest ?? []) : [],
      )
    const [told] = digests(KEEP_ALIVE_MS)
    expect(told).toMatch(/^0{16}$/)
    expect(digests(2 * KEEP_ALIVE_MS)).toEqual([told])
    room.receive(2 * KEEP_ALIVE_MS, 1, plain(updates[0]!))
    room.flush(2 * KEEP_ALIVE_MS)
    expect(digests(3 * KEEP_ALIVE_MS)).toEqual([documentDigest(doc)])
  })

  test('R26 is told the digest of the room with a sweep, once for each', () => {
    const room = roomWithStandby()
    const doc = new Y.Doc()
    doc.getMap('state').set('a', 1)
    receiveAndFlush(room, 1, plain(Y.encodeStateAsUpdate(doc)))
    const digests = (nowMs: number) =>
      sentTo(room.timeout(nowMs), 2).flatMap((message) =>
        message.type === 'news' ? [(message as NewsMessage).digest] : [],
      )
    expect(digests(KEEP_ALIVE_MS)).toEqual([documentDigest(doc)])
    expect(digests(2 * KEEP_ALIVE_MS)).toEqual([])
  })

  test('R26 writes and asks as ever', () => {
    const room = roomWithStandby()
    const effects = receiveAndFlush(room, 2, numbered(1, updateOf('a', 1)))
    expect(sentTo(effects, 1)).toMatchObject([{ type: 'update' }])
    expect(sentTo(room.committed(0, 1), 2)).toContainEqual({ type: 'ack', from: 1, to: 1, tier: 'relay' })
    const asked = room.receive(0, 2, encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) }))
    expect(sentTo(asked, 2)).toMatchObject([{ type: 'sync-step-2' }])
    const ping = encodeFrame({ type: 'ping', sentAtUs: 3 })
    expect(sentTo(room.receive(0, 2, ping), 2)).toMatchObject([{ type: 'pong' }])
    expect(sentTo(receiveAndFlush(room, 1, plain(updateOf('b', 2, 8))), 2)).toMatchObject([{ type: 'news' }])
  })

  test('R26 is greeted again when it takes part, and gets what comes from then on', () => {
    const room = roomWithStandby()
    room.receive(0, 1, presence(5, 1, PERSON))
    receiveAndFlush(room, 1, plain(updateOf('a', 1)))
    const greeting = sentTo(room.receive(0, 2, standby(false)), 2)
    expect(greeting.map(({ type }) => type)).toEqual(['sync-step-1', 'awareness'])
    expect(sentTo(room.receive(0, 2, standby(false)), 2)).toEqual([])
    expect(sentTo(receiveAndFlush(room, 1, plain(updateOf('b', 2))), 2)).toMatchObject([{ type: 'update' }])
    expect(room.deadline).toBe(KEEP_ALIVE_MS)
  })

  test('R26 leaves nothing behind', () => {
    const room = roomWithStandby()
    receiveAndFlush(room, 1, plain(updateOf('a', 1, 7)))
    receiveAndFlush(room, 1, plain(updateOf('b', 2, 8)))
    room.leave(0, 2)
    room.timeout(100)
    expect(room.deadline).toBe(KEEP_ALIVE_MS)
  })
})

describe('R27 a member with other paths', () => {
  function roomWithPaths() {
    const room = roomWith(1, 2)
    room.join(0, 3, true)
    room.receive(0, 3, helloWith([STANDBY_FEATURE]))
    room.receive(0, 3, presence(5, 3, PERSON))
    return room
  }

  test('R27 keeps its clients present for 2 s after its connection went', () => {
    const room = roomWithPaths()
    expect(sentTo(room.leave(1_000, 3), 1)).toEqual([])
    expect(room.deadline).toBe(3_000)
    expect(sentTo(room.timeout(2_999), 1)).toEqual([])
    const [message] = sentTo(room.timeout(3_000), 1)
    const [gone] = readAwarenessEntries((message as { update: Uint8Array }).update)
    expect(gone).toMatchObject({ client: 5, clock: 3 })
    expect(new TextDecoder().decode(gone!.state)).toBe('null')
  })

  test.each([3, 4])('R27 is back in time with clock %i over another connection', (clock) => {
    const room = roomWithPaths()
    room.leave(1_000, 3)
    room.receive(1_500, 2, presence(5, clock, PERSON))
    expect(sentTo(room.timeout(3_000), 1)).toEqual([])
    // It belongs to that one now.
    expect(sentTo(room.leave(4_000, 2), 1)).toMatchObject([{ type: 'awareness' }])
  })
})

test('R34 a member with other paths is told at once what has arrived; others are not, and the disk comes later', () => {
  const room = roomWith(1, 2)
  room.receive(0, 1, helloWith([STANDBY_FEATURE]))
  room.receive(0, 1, numbered(1, updateOf('a', 1, 7)))
  room.receive(0, 1, numbered(2, updateOf('b', 1, 8)))
  room.receive(0, 2, numbered(1, updateOf('c', 1, 9)))
  const flushed = room.flush(0)
  expect(sentTo(flushed, 1).filter(({ type }) => type !== 'update')).toEqual([{ type: 'received', to: 2 }])
  expect(sentTo(flushed, 2).filter(({ type }) => type !== 'update')).toEqual([])
  expect(sentTo(room.committed(0, room.lastPosition), 1).at(-1)).toMatchObject({
    type: 'ack',
    from: 1,
    to: 2,
  })
  // What is known already is not told twice before its acknowledgement.
  const again = sentTo(room.receive(0, 1, numbered(3, updateOf('a', 1, 7))), 1)
  expect(again.map(({ type }) => type)).toEqual(['received', 'ack'])
})

test('R26 what is behind a gap is not told of: nobody has it yet', () => {
  const room = roomWithStandby()
  const doc = new Y.Doc()
  doc.clientID = 9
  doc.getMap('state').set('a', 1)
  const missing = Y.encodeStateVector(doc)
  doc.getMap('state').set('b', 1)
  room.receive(0, 1, plain(Y.encodeStateAsUpdate(doc, missing)))
  expect(sentTo(room.flush(0), 2)).toEqual([])
})

test('R15 R26 who is congested is not sent presence for taking part again and again', () => {
  const room = roomWithStandby()
  room.receive(0, 1, presence(5, 1, PERSON))
  room.congestion(2)
  for (let i = 0; i < 10; i++) {
    const types = sentTo(receiveAndFlush(room, 2, standby(i % 2 === 1)), 2).map(({ type }) => type)
    expect(types).not.toContain('awareness')
  }
  room.receive(0, 2, standby(false))
  expect(sentTo(room.writable(0, 2), 2).map(({ type }) => type)).toContain('awareness')
})
