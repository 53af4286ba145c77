import { describe, expect, test } from 'vitest'
import { SkeinError } from '../../src/index.js'
import { addressOf } from '../../src/websocket/address.js'
import { failoverWebSocket } from '../../src/websocket/node.js'

const A = 'ws://a.example:1234'
const B = 'wss://b.example/collaboration/'

describe('address', () => {
  test('W1 the room is what follows the URL of a relay', () => {
    expect(addressOf(`${A}/home`, [A, B]).space).toBe('home')
    expect(addressOf(`${A}/home/ground%20floor`, [A, B]).space).toBe('home/ground floor')
    expect(addressOf('wss://b.example/collaboration/home', [A, B]).space).toBe('home')
    expect(addressOf('wss://b.example/collaboration/home', [A, `${B}old`, B]).space).toBe('home')
    expect(addressOf(new URL(`${A}/Küche?x=1`), [A]).space).toBe('Küche')
  })

  test('W1 of a URL of none of them it is the whole path', () => {
    expect(addressOf('ws://other.example/collaboration/home', [B]).space).toBe('collaboration/home')
    expect(addressOf('wss://b.example/other/home', [B]).space).toBe('other/home')
    expect(addressOf('http://localhost:1234/home', [A]).space).toBe('home')
  })

  test('W1 parameters go to every relay, beside those that it has', () => {
    const { relays } = addressOf(`${A}/home?token=a%26b&skein=2`, [`${A}?zone=1`, B])
    expect(relays).toEqual([`${A}/?zone=1&token=a%26b`, `${B}?token=a%26b`])
  })

  test('W1 a URL without a room that can be used is refused', () => {
    for (const url of ['', 'home', A, `${A}/`, `${A}/a//b`, `${A}/50%`, `${A}/${'x'.repeat(129)}`]) {
      const refused = expect(() => addressOf(url, [A]), url)
      refused.toThrow(SkeinError)
      refused.toThrow(expect.objectContaining({ code: 'bad-space-name' }))
    }
  })

  test('W1 relays that cannot be used are refused before anything is opened', () => {
    for (const relays of [[], ['nonsense'], [A, 'http://b.example']]) {
      expect(() => failoverWebSocket(relays)).toThrow(expect.objectContaining({ code: 'bad-relay-url' }))
    }
  })
})
