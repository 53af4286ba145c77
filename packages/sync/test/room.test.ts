import { decodeFrame, encodeFrame, readAwarenessEntries, writeAwarenessEntries } from '@skein/protocol'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { KEEP_ALIVE_MS, type PersistedUpdate } from '../src/index.js'
import { emptyRoom, ROOM_OPTIONS, sentTo, TestRoom, updateOf } from './helpers.js'
import { isAck, numbered, plain, presence, receiveAndFlush, roomWith } from './room-helpers.js'

describe('room', () => {
  test('R1 greets: hello only for Skein, then step 1, then presence', () => {
    const room = roomWith(1)
    room.receive(0, 1, presence(5, 1, { name: 'a' }))
    expect(sentTo(room.join(0, 2, true), 2).map(({ type }) => type)).toEqual([
      'hello',
      'sync-step-1',
      'awareness',
    ])
    expect(sentTo(room.join(0, 3, false), 3).map(({ type }) => type)).toEqual(['sync-step-1', 'awareness'])
  })

  test('R2 answers a step 1 with what is lacking', () => {
    const room = roomWith(1)
    const doc = new Y.Doc()
    doc.getMap('state').set('a', 1)
    receiveAndFlush(room, 1, plain(Y.encodeStateAsUpdate(doc)))
    const before = Y.encodeStateVector(doc)
    const had = Y.encodeStateAsUpdate(doc)
    doc.getMap('state').set('b', 2)
    receiveAndFlush(room, 1, plain(Y.encodeStateAsUpdate(doc, before)))

    const joiner = new Y.Doc()
    Y.applyUpdate(joiner, had)
    const [answer] = sentTo(room.receive(0, 1, encodeFrame({ type: 'sync-step-1', stateVector: before })), 1)
    const update = (answer as { update: Uint8Array }).update
    expect(update.length).toBeLessThan(Y.encodeStateAsUpdate(doc).length)
    Y.applyUpdate(joiner, update)
    expect(joiner.getMap('state').toJSON()).toEqual({ a: 1, b: 2 })
  })

  test('R2 an empty room answers with an empty update', () => {
    const effects = roomWith(1).receive(
      0,
      1,
      encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) }),
    )
    expect(effects.send.map(({ frame }) => [...frame])).toEqual([[0, 1, 2, 0, 0]])
  })

  test('R3 logs and forwards what is new, to the others only', () => {
    const update = updateOf('a')
    const effects = receiveAndFlush(roomWith(1, 2, 3), 1, plain(update))
    expect(effects.persist).toEqual([{ position: 1, update }])
    expect(effects.send).toEqual([{ to: [2, 3], frame: plain(update) }])
  })

  test('R3 several that wait are merged into one entry and one frame, for all but a sole author', () => {
    const room = roomWith(1, 2, 3)
    room.receive(0, 1, plain(updateOf('a', 1)))
    room.receive(0, 2, plain(updateOf('b', 2)))
    const effects = room.flush(0)
    expect(effects.persist.map(({ position }) => position)).toEqual([1])
    expect(effects.send.map(({ to }) => to)).toEqual([[1, 2, 3]])
    expect(room.content()).toEqual({ a: 1, b: 2 })
    room.receive(0, 1, plain(updateOf('c', 3)))
    room.receive(0, 1, plain(updateOf('d', 4)))
    expect(room.flush(0).send.map(({ to }) => to)).toEqual([[2, 3]])
    expect(room.flush(0)).toMatchObject({ persist: [], send: [] })
  })

  test('R5 what is merged is acknowledged together, to each its own numbers', () => {
    const room = roomWith(1, 2)
    room.receive(0, 1, numbered(1, updateOf('a')))
    room.receive(0, 2, numbered(1, updateOf('b')))
    room.receive(0, 1, numbered(2, updateOf('c')))
    expect(room.settled).toBe(false)
    room.flush(0)
    const effects = room.committed(0, 1)
    expect(sentTo(effects, 1).filter(isAck)).toEqual([{ type: 'ack', from: 1, to: 2, tier: 'relay' }])
    expect(sentTo(effects, 2).filter(isAck)).toEqual([{ type: 'ack', from: 1, to: 1, tier: 'relay' }])
    expect(room.settled).toBe(true)
  })

  test('R24 one that is in a hurry has the driver flush now', () => {
    const room = roomWith(1, 2)
    expect(room.receive(0, 1, numbered(1, updateOf('x'))).hurry).toBe(false)
    expect(room.receive(0, 1, encodeFrame({ type: 'hurry' }))).toMatchObject({ hurry: true, send: [] })
    expect(room.flush(0)).toMatchObject({ hurry: false, persist: [{ position: 1 }] })
  })

  test('R4 neither logs nor forwards what it knows', () => {
    const room = roomWith(1, 2)
    receiveAndFlush(room, 1, plain(updateOf('a', 1, 7)))
    const again = receiveAndFlush(room, 2, plain(updateOf('a', 1, 7)))
    expect(again).toMatchObject({ persist: [], send: [], close: [] })
  })

  test('R4 a reconnect that repeats the whole document and its deletions adds nothing to the log', () => {
    const room = roomWith(1)
    const doc = new Y.Doc()
    for (let i = 0; i < 10; i++) doc.getMap('state').set('k', i)
    doc.getMap('state').delete('k')
    receiveAndFlush(room, 1, plain(Y.encodeStateAsUpdate(doc)))
    const answer = encodeFrame({
      type: 'numbered-update',
      seq: 1,
      answersStep1: true,
      update: Y.encodeStateAsUpdate(doc),
    })
    expect(receiveAndFlush(room, 1, answer).persist).toEqual([])
  })

  test('R5 acknowledges only what is on disk, as ranges', () => {
    const room = roomWith(1)
    expect(sentTo(receiveAndFlush(room, 1, numbered(1, updateOf('a'))), 1)).toEqual([])
    expect(sentTo(receiveAndFlush(room, 1, numbered(2, updateOf('b'))), 1)).toEqual([])
    expect(sentTo(receiveAndFlush(room, 1, numbered(3, updateOf('c'))), 1)).toEqual([])
    expect(sentTo(room.committed(0, 2), 1).filter(isAck)).toEqual([
      { type: 'ack', from: 1, to: 2, tier: 'relay' },
    ])
    expect(sentTo(room.committed(0, 3), 1)).toEqual([{ type: 'ack', from: 3, to: 3, tier: 'relay' }])
  })

  test('R5 a repeated update waits for the disk like the one it repeats', () => {
    const room = roomWith(1, 2)
    receiveAndFlush(room, 1, numbered(1, updateOf('a', 1, 7)))
    expect(sentTo(receiveAndFlush(room, 2, numbered(1, updateOf('a', 1, 7))), 2)).toEqual([])
    expect(sentTo(room.committed(0, 1), 2).filter(isAck)).toEqual([
      { type: 'ack', from: 1, to: 1, tier: 'relay' },
    ])
    const onDisk = receiveAndFlush(room, 2, numbered(2, updateOf('a', 1, 7)))
    expect(sentTo(onDisk, 2)).toEqual([{ type: 'ack', from: 2, to: 2, tier: 'relay' }])
  })

  test('R6 rejects a malformed update by its number and goes on', () => {
    const room = roomWith(1, 2)
    const effects = receiveAndFlush(room, 1, numbered(1, Uint8Array.of(1, 1, 1)))
    expect(sentTo(effects, 1)).toMatchObject([{ type: 'reject', seq: 1, code: 'malformed' }])
    expect(sentTo(effects, 2)).toEqual([])
    expect(effects.persist).toEqual([])
    receiveAndFlush(room, 1, numbered(2, updateOf('a')))
    expect(sentTo(room.committed(0, 1), 1).filter(isAck)).toEqual([
      { type: 'ack', from: 2, to: 2, tier: 'relay' },
    ])
  })

  test('R6 rejects an update over the limit', () => {
    const large = updateOf('a', 'x'.repeat(ROOM_OPTIONS.updateBytesMax))
    const effects = receiveAndFlush(roomWith(1), 1, numbered(1, large))
    expect(sentTo(effects, 1)).toMatchObject([{ type: 'reject', seq: 1, code: 'too-large' }])
  })

  test('R6 closes a stock client with a final code', () => {
    const effects = receiveAndFlush(roomWith(1, 2), 1, plain(Uint8Array.of(1, 1, 1)))
    expect(effects).toMatchObject({ persist: [], send: [], close: [{ member: 1, code: 4422 }] })
  })

  test('R7 a frame that does not decode closes its sender alone; unknown types are skipped', () => {
    const room = roomWith(1, 2)
    expect(room.receive(0, 1, Uint8Array.of(0))).toMatchObject({
      persist: [],
      send: [],
      close: [{ member: 1, code: 4400 }],
    })
    expect(room.receive(0, 1, Uint8Array.of(99, 1, 2))).toMatchObject({ persist: [], send: [], close: [] })
  })

  test('R8 forwards presence that is news, once', () => {
    const room = roomWith(1, 2)
    const frame = presence(5, 3, { name: 'a' })
    expect(room.receive(0, 1, frame).send).toEqual([{ to: [2], frame }])
    expect(room.receive(0, 1, frame).send).toEqual([])
    expect(room.receive(0, 1, presence(5, 2, { name: 'old' })).send).toEqual([])
    expect(room.receive(0, 1, presence(5, 3, null)).send).toHaveLength(1)
    expect(sentTo(room.join(0, 3, false), 3).map(({ type }) => type)).toEqual(['sync-step-1'])
  })

  test('R8 refuses presence that is not JSON', () => {
    const bad = writeAwarenessEntries([{ client: 1, clock: 1, state: new TextEncoder().encode('{') }])
    const effects = roomWith(1, 2).receive(0, 1, encodeFrame({ type: 'awareness', update: bad }))
    expect(effects).toMatchObject({ send: [], close: [{ member: 1, code: 4400 }] })
  })

  test('R9 a connection takes its clients along, and they may return with the same clock', () => {
    const room = roomWith(1, 2)
    room.receive(0, 1, presence(5, 3, { name: 'a' }))
    const [message] = sentTo(room.leave(0, 1), 2)
    const [gone] = readAwarenessEntries((message as { update: Uint8Array }).update)
    expect(gone).toMatchObject({ client: 5, clock: 3 })
    expect(new TextDecoder().decode(gone!.state)).toBe('null')
    room.join(0, 3, true)
    expect(room.receive(0, 3, presence(5, 3, { name: 'a' })).send).toHaveLength(1)
  })

  test('R9 a client whose newest presence came over another connection stays', () => {
    const room = roomWith(1, 2, 3)
    room.receive(0, 1, presence(5, 3, { name: 'a' }))
    room.receive(0, 2, presence(5, 4, { name: 'a' }))
    expect(sentTo(room.leave(0, 1), 3)).toEqual([])
  })

  test('R10 forgets the silent', () => {
    const room = roomWith(1)
    room.receive(0, 1, presence(5, 3, { name: 'a' }))
    room.timeout(60_001)
    expect(sentTo(room.join(60_001, 2, false), 2).map(({ type }) => type)).toEqual(['sync-step-1'])
  })

  test('R11 no member waits longer than 15 s for a sign of life', () => {
    const room = emptyRoom()
    room.join(0, 1, false)
    room.join(4_000, 2, false)
    const heard = new Map([
      [1, 0],
      [2, 4_000],
    ])
    let now = room.deadline!
    for (; now < 120_000; now = room.deadline!) {
      for (const { to, frame } of room.timeout(now).send) {
        expect([...frame]).toEqual([1, 1, 0])
        for (const member of to) {
          expect(now - heard.get(member)!).toBeLessThanOrEqual(KEEP_ALIVE_MS * 1.5)
          heard.set(member, now)
        }
      }
    }
    expect([...heard.values()].every((at) => now - at <= KEEP_ALIVE_MS * 1.5)).toBe(true)
  })

  test('R11 nobody, no deadline', () => {
    const room = roomWith(1)
    expect(room.deadline).toBeDefined()
    room.leave(0, 1)
    expect(room.deadline).toBeUndefined()
  })

  test('R12 a room made from its log is the same room', () => {
    const room = roomWith(1)
    const log: PersistedUpdate[] = []
    for (let i = 0; i < 5; i++) log.push(...receiveAndFlush(room, 1, plain(updateOf(`k${i}`, i))).persist)
    const again = new TestRoom(log)
    expect(again.content()).toEqual({ k0: 0, k1: 1, k2: 2, k3: 3, k4: 4 })
    expect(again.lastPosition).toBe(5)
    expect(again.settled).toBe(true)
    expect(() => new TestRoom([{ position: 1, update: Uint8Array.of(9) }])).toThrow()
  })

  test('R15 a congested member gets nothing after the next flush, and then all it missed', () => {
    const room = roomWith(1, 2, 3)
    receiveAndFlush(room, 1, plain(updateOf('before')))
    room.receive(0, 1, plain(updateOf('waiting')))
    room.congestion(2)
    expect(room.flush(0).send.map(({ to }) => to)).toEqual([[2, 3]])
    expect(room.receive(0, 1, presence(5, 1, { name: 'a' })).send.map(({ to }) => to)).toEqual([[3]])
    receiveAndFlush(room, 3, plain(updateOf('later')))
    const [present, missed] = sentTo(room.writable(0, 2), 2)
    const doc = new Y.Doc()
    Y.applyUpdate(doc, (missed as { update: Uint8Array }).update)
    expect(doc.getMap('state').toJSON()).toEqual({ later: 1 })
    expect(present?.type).toBe('awareness')
    expect(room.writable(0, 2).send).toEqual([])
    expect(receiveAndFlush(room, 1, plain(updateOf('now'))).send.map(({ to }) => to)).toEqual([[2, 3]])
  })

  test('R15 asking again and again while congested brings one answer, when it has drained', () => {
    const room = roomWith(1, 2)
    receiveAndFlush(room, 1, plain(updateOf('a')))
    room.congestion(2)
    const ask = encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
    for (let i = 0; i < 5; i++) expect(room.receive(0, 2, ask).send).toEqual([])
    expect(sentTo(room.writable(0, 2), 2).map(({ type }) => type)).toEqual(['sync-step-2'])
    expect(room.writable(0, 2).send).toEqual([])
  })

  test('R16 a space grows to its limit and no further; a log of any size is loaded; compaction makes room', () => {
    const options = { ...ROOM_OPTIONS, spaceBytesMax: 2_500 }
    const room = new TestRoom([], options)
    room.join(0, 1, true)
    const large = 'x'.repeat(1_000)
    for (const [seq, taken] of [true, true, false].entries()) {
      const effects = receiveAndFlush(room, 1, numbered(seq + 1, updateOf(`k${seq}`, large)))
      const rejections = sentTo(effects, 1).filter(({ type }) => type === 'reject')
      expect(rejections).toMatchObject(taken ? [] : [{ code: 'too-large' }])
    }
    expect(new TestRoom(room.entries, { ...options, spaceBytesMax: 1 }).lastPosition).toBe(2)
    room.compacted(1_000)
    const again = receiveAndFlush(room, 1, numbered(4, updateOf('again', large)))
    expect(sentTo(again, 1).filter(({ type }) => type === 'reject')).toEqual([])
  })

  test('R3 large updates are not merged: merging them would hold up everybody', () => {
    const room = new TestRoom([], { ...ROOM_OPTIONS, updateBytesMax: 1 << 22 })
    for (const member of [1, 2]) room.join(0, member, false)
    for (const key of ['a', 'b'])
      room.receive(0, 1, numbered(key === 'a' ? 1 : 2, updateOf(key, 'x'.repeat(1 << 20))))
    const { persist, send } = room.flush(0)
    expect(persist.map(({ position }) => position)).toEqual([1, 2])
    expect(send.map(({ to }) => to)).toEqual([[2], [2]])
    expect(sentTo(room.committed(0, 1), 1).filter(isAck)).toEqual([])
    expect(sentTo(room.committed(0, 2), 1).filter(isAck)).toEqual([
      { type: 'ack', from: 1, to: 2, tier: 'relay' },
    ])
  })

  test('R17 a made-up crowd is cut, and newcomers still get in', () => {
    const room = roomWith(1, 2)
    const state = new TextEncoder().encode(JSON.stringify('x'.repeat(60_000)))
    for (let i = 0; i < 100; i++) {
      const update = writeAwarenessEntries([{ client: i, clock: 1, state }])
      expect(room.receive(0, 1, encodeFrame({ type: 'awareness', update })).close).toEqual([])
    }
    const [, , all] = sentTo(room.join(0, 3, true), 3)
    expect((all as { update: Uint8Array }).update.length).toBeLessThanOrEqual(1 << 20)
    room.leave(0, 1)
    expect(room.receive(0, 2, presence(500, 1, { name: 'honest' })).send).toHaveLength(1)
  })

  test('R14 answers a ping with its own time', () => {
    const effects = roomWith(1).receive(0, 1, encodeFrame({ type: 'ping', sentAtUs: 123 }))
    expect(effects.send.map(({ frame }) => decodeFrame(frame))).toEqual([{ type: 'pong', pingSentAtUs: 123 }])
  })
})
