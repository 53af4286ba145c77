import { expect, test } from 'vitest'
import { fingerprint, freePort, joinForTest, stockServer, until } from '../helpers.js'

// The other side is @y/websocket-server 0.1.1 as published, in its own process.

test('I1 agents converge over a stock server, with presence, and call it what it is', async () => {
  const { url } = await stockServer(await freePort())
  const a = await joinForTest('home/ground floor', { relays: [url], presence: { name: 'a' } })
  const b = await joinForTest('home/ground floor', { relays: [url], presence: { name: 'b' } })
  await Promise.all([a.whenSynced, b.whenSynced])
  expect(a.status.path).toMatchObject({ kind: 'server' })
  for (let i = 0; i < 30; i++) {
    a.set(`k${i % 4}`, i)
    b.set(`k${i % 3}`, -i)
    if (i % 5 === 0) b.delete('k1')
  }
  await until('equal digests', () => a.digest() === b.digest())
  expect(fingerprint(a.doc)).toEqual(fingerprint(b.doc))
  await until('presence', () => a.presence.agents().length === 2 && b.presence.agents().length === 2)
  expect(a.status.queued).toBe(0)
})

test('I1 nothing is called durable on a server that confirms nothing', async () => {
  const { url } = await stockServer(await freePort())
  const a = await joinForTest('home', { relays: [url] })
  await a.whenSynced
  a.set('k', 1)
  let settled = false
  const abort = new AbortController()
  const waiting = a.durable('relay', { signal: abort.signal }).finally(() => {
    settled = true
  })
  const b = await joinForTest('home', { relays: [url] })
  await until('the edit is through', () => b.get('k') === 1)
  expect(settled).toBe(false)
  abort.abort()
  await expect(waiting).rejects.toThrow()
})

test('I1 edits made offline reach a stock server, and a killed one is found again', async () => {
  const port = await freePort()
  const server = await stockServer(port)
  const a = await joinForTest('home', { relays: [server.url] })
  const b = await joinForTest('home', { relays: [server.url] })
  await Promise.all([a.whenSynced, b.whenSynced])
  a.disconnect()
  a.set('offline', 1)
  a.connect()
  await until('b has it', () => b.get('offline') === 1)
  await server.stop()
  await until('the loss is noticed', () => a.status.connection === 'connecting')
  b.set('while down', 2)
  await stockServer(port)
  await until('a has it', () => a.get('while down') === 2)
  expect(fingerprint(a.doc)).toEqual(fingerprint(b.doc))
})
