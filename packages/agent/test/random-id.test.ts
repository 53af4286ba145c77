import { expect, onTestFinished, test, vi } from 'vitest'
import { randomId } from '../src/random-id.js'
import { failoverWebSocketOver } from '../src/websocket/failover.js'
import { ScriptedSockets } from './websocket/helpers.js'

test('ids are of 128 bits, and differ', () => {
  const ids = Array.from({ length: 100 }, randomId)
  expect(new Set(ids).size).toBe(100)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
})

test('a page without a secure context, where there is no randomUUID, gets a WebSocket class, too', () => {
  // The rest of what such a page has.
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) })
  onTestFinished(() => void vi.unstubAllGlobals())
  const sockets = new ScriptedSockets()
  const socket = new (failoverWebSocketOver(sockets, ['ws://192.168.1.2']))('ws://192.168.1.2/home')
  expect(sockets.made).toHaveLength(1)
  socket.close()
})
