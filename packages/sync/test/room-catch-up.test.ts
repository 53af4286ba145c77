import { decodeFrame, encodeFrame } from '@skein/protocol'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { ASK_AGAIN_MS, ByteBudget, documentDigest, KEEP_ALIVE_MS, type RoomEffects } from '../src/index.js'
import { joined, ROOM_OPTIONS, sentTo, TestRoom, updateOf } from './helpers.js'
import { helloWith, numbered, plain, receiveAndFlush, roomWith } from './room-helpers.js'

describe('what members of a room still have to get, and whom it belongs to', () => {
  test('R18 who has the same document gets an empty answer at once; who has not, what it lacks', () => {
    const room = roomWith(1, 2)
    const doc = new Y.Doc()
    doc.getMap('state').set('a', 1)
    doc.getMap('state').set('a', 2)
    receiveAndFlush(room, 1, plain(Y.encodeStateAsUpdate(doc)))
    const stateVector = Y.encodeStateVector(doc)
    const ask = (digest: string) =>
      room.receive(0, 2, encodeFrame({ type: 'sync-step-1', stateVector, digest }))
    expect(ask(documentDigest(doc)).send.map(({ frame }) => [...frame])).toEqual([[0, 1, 2, 0, 0]])
    const [other] = sentTo(ask('0123456789abcdef'), 2)
    expect((other as { update: Uint8Array }).update.length).toBeGreaterThan(2)
  })

  test('R18 nobody has the same document as a room in which something is missing', () => {
    const room = roomWith(1, 2)
    const doc = new Y.Doc()
    doc.getMap('state').set('a', 1)
    const before = Y.encodeStateVector(doc)
    const first = Y.encodeStateAsUpdate(doc)
    doc.getMap('state').set('b', 2)
    const missing = Y.encodeStateVector(doc)
    doc.getMap('state').set('c', 3)
    receiveAndFlush(room, 1, plain(first))
    receiveAndFlush(room, 1, plain(Y.encodeStateAsUpdate(doc, missing)))
    const half = new Y.Doc()
    Y.applyUpdate(half, first)
    const digest = documentDigest(half)
    const [answer] = sentTo(
      room.receive(0, 2, encodeFrame({ type: 'sync-step-1', stateVector: before, digest })),
      2,
    )
    expect((answer as { update: Uint8Array }).update.length).toBeGreaterThan(10)
  })

  test('R19 who sends updates with a gap before them is asked for it, ever more rarely', () => {
    const room = roomWith(1, 2)
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (let i = 0; i < 6; i++) doc.getMap('state').set(`k${i}`, i)
    const asked = (nowMs: number, update: Uint8Array) =>
      sentTo(room.receive(nowMs, 1, plain(update)), 1).filter(({ type }) => type === 'sync-step-1').length
    expect(asked(0, updates[0]!)).toBe(0)
    expect(asked(0, updates[2]!)).toBe(1)
    expect(asked(ASK_AGAIN_MS - 1, updates[3]!)).toBe(0)
    expect(asked(ASK_AGAIN_MS, updates[4]!)).toBe(1)
    expect(asked(2.9 * ASK_AGAIN_MS, updates[5]!)).toBe(0)
    expect(asked(3 * ASK_AGAIN_MS, updates[1]!)).toBe(0)
  })

  test('R20 a large answer goes in chunks to those who take them, a burst at a time, and pings get through', () => {
    const room = new TestRoom([], { ...ROOM_OPTIONS, updateBytesMax: 1 << 23 })
    room.join(0, 1, false)
    receiveAndFlush(room, 1, plain(updateOf('a', 'x'.repeat(3 << 20))))
    room.join(0, 2, true)
    room.receive(0, 2, helloWith(['chunks']))
    const ask = encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
    const parts: Uint8Array[] = []
    let effects = room.receive(0, 2, ask)
    let bursts = 0
    for (; ; bursts++) {
      for (const message of sentTo(effects, 2)) if (message.type === 'chunk') parts.push(message.part)
      expect(parts.length).toBeLessThanOrEqual((bursts + 1) * 5)
      if (effects.more.length === 0) break
      const pong = room.receive(0, 2, encodeFrame({ type: 'ping', sentAtUs: 1 }))
      expect(sentTo(pong, 2)).toEqual([{ type: 'pong', pingSentAtUs: 1 }])
      effects = room.writable(0, 2)
    }
    expect(bursts).toBeGreaterThan(1)
    const whole = decodeFrame(Buffer.concat(parts))
    expect(whole.type).toBe('sync-step-2')
    const doc = new Y.Doc()
    Y.applyUpdate(doc, (whole as { update: Uint8Array }).update)
    expect(doc.getMap('state').toJSON()).toEqual(room.content())
  })

  test('R20 a large answer waits for the hello that tells whether it may go in chunks, but not for ever', () => {
    const ask = encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
    const types = (effects: RoomEffects) => sentTo(effects, 2).map(({ type }) => type)
    const joiner = () => {
      const room = new TestRoom([], { ...ROOM_OPTIONS, updateBytesMax: 1 << 23 })
      room.join(0, 1, false)
      receiveAndFlush(room, 1, plain(updateOf('a', 'x'.repeat(1 << 20))))
      room.join(0, 2, true)
      expect(types(room.receive(0, 2, ask))).toEqual([])
      return room
    }
    expect(types(joiner().receive(0, 2, helloWith(['chunks'])))).toContain('chunk')
    expect(types(joiner().receive(0, 2, helloWith([])))).toEqual(['sync-step-2'])
    expect(types(joiner().timeout(KEEP_ALIVE_MS))).toContain('sync-step-2')
  })

  test('R20 a large update goes in chunks to those who take them, and what follows it, after it', () => {
    const room = new TestRoom([], { ...ROOM_OPTIONS, updateBytesMax: 1 << 23 })
    for (const member of [1, 2, 3]) room.join(0, member, member === 2)
    room.receive(0, 2, helloWith(['chunks']))
    room.receive(0, 1, plain(updateOf('small')))
    const first = receiveAndFlush(room, 1, plain(updateOf('large', 'x'.repeat(3 << 20))))
    expect(sentTo(first, 3).map(({ type }) => type)).toEqual(['update', 'update'])
    expect(sentTo(first, 2).map(({ type }) => type)[0]).toBe('update')
    let effects = joined(first, receiveAndFlush(room, 1, plain(updateOf('after'))))
    const doc = new Y.Doc()
    let parts: Uint8Array[] = []
    const types: string[] = []
    for (;;) {
      for (const message of sentTo(effects, 2)) {
        types.push(message.type)
        if (message.type === 'update') Y.applyUpdate(doc, message.update)
        if (message.type !== 'chunk') continue
        parts.push(message.part)
        if (message.offset + message.part.length < message.total) continue
        Y.applyUpdate(doc, (decodeFrame(Buffer.concat(parts)) as { update: Uint8Array }).update)
        parts = []
      }
      if (effects.more.length === 0) break
      effects = room.writable(0, 2)
    }
    expect(doc.getMap('state').toJSON()).toEqual(room.content())
    expect(types.at(-1)).toBe('update')
  })

  test('R21 what comes in while an answer is on its way follows as one update', () => {
    const room = new TestRoom([], { ...ROOM_OPTIONS, updateBytesMax: 1 << 23 })
    room.join(0, 1, false)
    receiveAndFlush(room, 1, plain(updateOf('a', 'x'.repeat(3 << 20))))
    room.join(0, 2, true)
    room.receive(0, 2, helloWith(['chunks']))
    let effects = room.receive(0, 2, encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) }))
    for (const key of ['b', 'c']) {
      expect(sentTo(receiveAndFlush(room, 1, plain(updateOf(key))), 2)).toEqual([])
    }
    const types: string[] = []
    while (effects.more.length > 0) {
      effects = room.writable(0, 2)
      types.push(...sentTo(effects, 2).map(({ type }) => type))
    }
    expect(types.filter((type) => type !== 'chunk')).toEqual(['update'])
    expect(receiveAndFlush(room, 1, plain(updateOf('d'))).send.map(({ to }) => to)).toEqual([[2]])
  })

  test('R22 chunks of a member are put together; a wrong order or a chunk in chunks closes it', () => {
    const update = updateOf('a', 'x'.repeat(1_000))
    const message = numbered(1, update)
    const chunk = (total: number, offset: number, part: Uint8Array) =>
      encodeFrame({ type: 'chunk', total, offset, part })
    const room = roomWith(1, 2, 3)
    room.receive(0, 1, chunk(message.length, 0, message.subarray(0, 500)))
    room.receive(0, 1, encodeFrame({ type: 'ping', sentAtUs: 1 }))
    const last = receiveAndFlush(room, 1, chunk(message.length, 500, message.subarray(500)))
    expect(last.persist.map((entry) => entry.update)).toEqual([update])
    expect(room.receive(0, 2, chunk(10, 5, Uint8Array.of(1))).close).toMatchObject([
      { member: 2, code: 4400 },
    ])
    const nested = chunk(1, 0, Uint8Array.of(1))
    const inChunks = room.receive(0, 3, chunk(nested.length, 0, nested))
    expect(inChunks.close).toMatchObject([{ member: 3, code: 4400 }])
  })

  test('R22 what unfinished messages may hold is bounded for all together, and given back', () => {
    const options = { ...ROOM_OPTIONS, inboundBudget: new ByteBudget(100_000) }
    const room = new TestRoom([], options)
    for (const member of [1, 2, 3]) room.join(0, member, true)
    const half = encodeFrame({ type: 'chunk', total: 200_000, offset: 0, part: new Uint8Array(60_000) })
    expect(room.receive(0, 1, half).close).toEqual([])
    expect(room.receive(0, 2, half).close).toMatchObject([{ member: 2, code: 1013 }])
    room.leave(0, 1)
    expect(room.receive(0, 3, half).close).toEqual([])
  })

  test('R23 a space gets the epoch of its first writer, stores it with the first update, and tells all', () => {
    const room = roomWith(1, 2)
    room.receive(0, 1, helloWith([], 'e1'))
    const effects = receiveAndFlush(room, 2, plain(updateOf('a')))
    expect(effects.epoch).toBe('e1')
    // A crash could still take it back.
    expect(sentTo(room.join(0, 3, true), 3)[0]).toMatchObject({ type: 'hello', epoch: '' })
    expect(sentTo(room.committed(0, 1), 3)).toMatchObject([{ type: 'hello', epoch: 'e1' }])
    expect(sentTo(room.join(0, 4, true), 4)[0]).toMatchObject({ type: 'hello', epoch: 'e1' })
    expect(receiveAndFlush(room, 2, plain(updateOf('b'))).epoch).toBeUndefined()
  })

  test('R23 without one of its own a new one is made up, and agents that are here are told', () => {
    const room = roomWith(1)
    room.join(0, 2, false)
    const effects = receiveAndFlush(room, 2, plain(updateOf('a')))
    expect(effects.epoch).toBe(ROOM_OPTIONS.newEpoch)
    const onDisk = room.committed(0, 1)
    expect(sentTo(onDisk, 1)).toMatchObject([{ type: 'hello', epoch: ROOM_OPTIONS.newEpoch }])
    expect(sentTo(onDisk, 2)).toEqual([])
  })

  test('R23 before the epoch is on disk nobody gets content without having said hello', () => {
    const room = new TestRoom()
    room.join(0, 1, true)
    room.receive(0, 1, helloWith([], 'e1'))
    room.join(0, 2, true)
    const ask = encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
    const content = (effects: RoomEffects) =>
      sentTo(effects, 2).filter(({ type }) => type === 'update' || type === 'sync-step-2')
    expect(content(receiveAndFlush(room, 1, numbered(1, updateOf('a'))))).toEqual([])
    expect(content(room.receive(0, 2, ask))).toEqual([])
    const other = room.receive(0, 2, helloWith([], 'e2'))
    expect(other.close).toMatchObject([{ member: 2, code: 4409 }])
    expect(content(other)).toEqual([])
    expect(content(room.committed(0, 1))).toEqual([])
  })

  test('R23 when it is on disk those who said none are told, and get theirs', () => {
    const room = new TestRoom()
    room.join(0, 1, true)
    room.receive(0, 1, helloWith([], 'e1'))
    room.join(0, 2, true)
    receiveAndFlush(room, 1, numbered(1, updateOf('a')))
    const types = sentTo(room.committed(0, 1), 2).map(({ type }) => type)
    expect(types).toEqual(['hello', 'update'])
  })

  test('R23 a replica of another epoch is closed with a final code, and nothing of it is merged', () => {
    const room = new TestRoom([{ position: 1, update: updateOf('a') }], ROOM_OPTIONS, 'e1')
    room.join(0, 1, true)
    expect(room.receive(0, 1, helloWith([], 'e2')).close).toMatchObject([{ member: 1, code: 4409 }])
    expect(receiveAndFlush(room, 1, numbered(1, updateOf('b')))).toMatchObject({ persist: [], send: [] })
    room.join(0, 2, true)
    expect(sentTo(receiveAndFlush(room, 2, numbered(1, updateOf('c'))), 1)).toEqual([])
  })
})
