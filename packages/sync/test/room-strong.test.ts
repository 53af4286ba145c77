import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { ROOM_OPTIONS, sentTo, TestRoom } from './helpers.js'
import { helloWith, isAck, numbered, plain, receiveAndFlush } from './room-helpers.js'

function strongRoom(isStrong = (key: string) => key.startsWith('lock/')): TestRoom {
  const room = new TestRoom([], { ...ROOM_OPTIONS, isStrong })
  for (const member of [1, 2]) {
    room.join(0, member, true)
    room.receive(0, member, helloWith([]))
  }
  return room
}

function docWith(values: Record<string, unknown>, map = 'state'): Y.Doc {
  const doc = new Y.Doc()
  for (const [key, value] of Object.entries(values)) doc.getMap(map).set(key, value)
  return doc
}

const updateOf = (values: Record<string, unknown>, map?: string) =>
  Y.encodeStateAsUpdate(docWith(values, map))

describe('strong keys', () => {
  test('R25 an update that writes one is rejected by its number, and the connection goes on', () => {
    const room = strongRoom()
    const effects = receiveAndFlush(room, 1, numbered(1, updateOf({ light: 1, 'lock/front': 2 })))
    expect(sentTo(effects, 1)).toMatchObject([{ type: 'reject', seq: 1, code: 'forbidden' }])
    expect(sentTo(effects, 2)).toEqual([])
    expect([effects.persist, effects.close]).toEqual([[], []])
    receiveAndFlush(room, 1, numbered(2, updateOf({ light: 1 })))
    expect(sentTo(room.committed(0, 1), 1).filter(isAck)).toMatchObject([{ from: 2, to: 2 }])
    expect(room.content()).toEqual({ light: 1 })
  })

  test('R25 a stock client is closed with a final code', () => {
    const effects = receiveAndFlush(strongRoom(), 1, plain(updateOf({ 'lock/front': 2 })))
    expect(effects).toMatchObject({ persist: [], send: [], close: [{ member: 1, code: 4423 }] })
  })

  test('R25 what overwrites a refused entry never becomes visible', () => {
    const room = strongRoom()
    const doc = docWith({ 'lock/front': 'forged' })
    const refused = Y.encodeStateVector(doc)
    doc.getMap('state').set('lock/front', 'again')
    expect(sentTo(receiveAndFlush(room, 1, numbered(1, Y.encodeStateAsUpdate(doc))), 1)).toMatchObject([
      { type: 'reject' },
    ])
    receiveAndFlush(room, 1, numbered(2, Y.encodeStateAsUpdate(doc, refused)))
    expect(room.content()).toEqual({})
  })

  test('R25 keys of other maps, and of maps inside of the state, are not meant', () => {
    const room = strongRoom()
    receiveAndFlush(room, 1, numbered(1, updateOf({ 'lock/front': 1 }, 'notes')))
    receiveAndFlush(room, 1, numbered(2, updateOf({ home: new Y.Map([['lock/front', 1]]) })))
    expect(room.entries).toHaveLength(2)
  })

  test('R25 what is strong is asked anew for each update', () => {
    const strong = new Set<string>()
    const room = strongRoom((key) => strong.has(key))
    receiveAndFlush(room, 1, numbered(1, updateOf({ a: 1 })))
    strong.add('a')
    const again = receiveAndFlush(room, 1, numbered(2, updateOf({ a: 2 })))
    expect(sentTo(again, 1)).toMatchObject([{ type: 'reject', seq: 2, code: 'forbidden' }])
    expect(room.content()).toEqual({ a: 1 })
  })

  test('R25 a key of any length is told in short', () => {
    const effects = receiveAndFlush(
      strongRoom(),
      1,
      numbered(1, updateOf({ [`lock/${'😀'.repeat(4_000)}`]: 1 })),
    )
    expect(sentTo(effects, 1)).toMatchObject([{ type: 'reject', seq: 1 }])
  })
})
