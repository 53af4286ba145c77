import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { joinSpaceOn } from '../src/join.js'
import type { Platform, Socket } from '../src/platform.js'
import { memoryStore } from '../src/store/memory-store.js'
import { fingerprint, joinForTest, relayForTest, until } from './helpers.js'

test('S12 A12 what a congested connection holds back arrives, and is confirmed only then', async () => {
  const { url } = await relayForTest()
  let bufferedAmount = 0
  let looks = 0
  const platform: Platform = {
    connect(address) {
      const socket = new WebSocket(address)
      socket.binaryType = 'arraybuffer'
      Object.defineProperty(socket, 'bufferedAmount', {
        get() {
          looks++
          return bufferedAmount
        },
      })
      return socket as unknown as Socket
    },
    openStore: async () => memoryStore(),
    storeRequired: () => false,
    tabsByDefault: false,
    watch: () => () => {},
  }
  const writer = await joinSpaceOn(platform, 'home', { relays: [url] })
  const reader = await joinForTest('home', { relays: [url] })
  await Promise.all([writer.whenSynced, reader.whenSynced])
  writer.set('one', 1)
  bufferedAmount = 64 * 1024 * 1024
  writer.set('two', 2) // finds the connection congested
  await until('what was sent is confirmed', () => writer.status.queued === 0)
  writer.set('three', 3)
  writer.set('four', 4)
  const before = looks
  await until('the socket was looked at a few times', () => looks > before + 2)
  expect(writer.status.queued).toBe(2)
  expect(reader.get('three')).toBeUndefined()
  bufferedAmount = 0
  await writer.durable('relay')
  await until('the reader has all', () => reader.digest() === writer.digest())
  expect(fingerprint(reader.doc)).toEqual(fingerprint(writer.doc))
  expect(reader.entries().map(([key]) => key)).toEqual(['four', 'one', 'three', 'two'])
  await writer.leave()
})
