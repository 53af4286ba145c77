import { AWARENESS_NULL, readAwarenessEntries, writeAwarenessEntries } from '@skein/protocol'
import { describe, expect, test } from 'vitest'
import { PresenceFilter } from '../../src/websocket/presence-filter.js'

type Told = [client: number, clock: number, state: unknown]

const encode = (...told: Told[]) =>
  writeAwarenessEntries(
    told.map(([client, clock, state]) => ({
      client,
      clock,
      state: state === null ? AWARENESS_NULL : new TextEncoder().encode(JSON.stringify(state)),
    })),
  )
const decode = (update: Uint8Array | undefined): Told[] | undefined =>
  update &&
  readAwarenessEntries(update).map(({ client, clock, state }) => [
    client,
    clock,
    JSON.parse(new TextDecoder().decode(state)),
  ])

describe('presence', () => {
  test('W6 what the provider tells of itself is for the relays, what it repeats is not', () => {
    const filter = new PresenceFilter()
    expect(decode(filter.fromProvider(encode([1, 1, 'me'])))).toEqual([[1, 1, 'me']])
    filter.fromRelay(encode([2, 5, 'them'], [3, 1, 'other']))
    expect(filter.fromProvider(encode([2, 5, 'them'], [3, 1, 'other']))).toBeUndefined()
    expect(decode(filter.fromProvider(encode([1, 2, 'me'], [3, 1, 'other'])))).toEqual([[1, 2, 'me']])
    expect(filter.own).toBe(1)
  })

  test('W6 that others have gone is not taken from the provider', () => {
    const filter = new PresenceFilter()
    filter.fromRelay(encode([2, 5, 'them']))
    expect(filter.fromProvider(encode([2, 5, null]))).toBeUndefined()
    filter.fromRelay(encode([2, 5, null]))
    expect(filter.fromProvider(encode([2, 5, null]))).toBeUndefined()
    expect(filter.own).toBeUndefined()
  })

  test('W6 its own goodbye is, and it comes back', () => {
    const filter = new PresenceFilter()
    filter.fromProvider(encode([1, 1, 'me']))
    expect(decode(filter.fromProvider(encode([1, 1, null])))).toEqual([[1, 1, null]])
    expect(decode(filter.encodeOurs())).toEqual([])
    expect(filter.encodeRenewal()).toBeUndefined()
    expect(decode(filter.fromProvider(encode([1, 2, 'me'])))).toEqual([[1, 2, 'me']])
  })

  test('W6 a client whose old presence a relay still tells may renew it', () => {
    const filter = new PresenceFilter()
    filter.fromRelay(encode([1, 4, 'old me']))
    expect(decode(filter.fromProvider(encode([1, 5, 'me'])))).toEqual([[1, 5, 'me']])
    expect(decode(filter.encodeTheirs())).toEqual([])
    expect(decode(filter.encodeOurs())).toEqual([[1, 5, 'me']])
  })

  test('W7 who is not named after a loss has gone', () => {
    const filter = new PresenceFilter()
    filter.fromProvider(encode([1, 1, 'me']))
    filter.fromRelay(encode([2, 5, 'b'], [3, 6, 'c'], [4, 7, 'd']))
    expect(filter.takeGone()).toBeUndefined()
    filter.lost()
    filter.fromRelay(encode([2, 5, 'b'], [4, 7, null]))
    expect(decode(filter.takeGone())).toEqual([[3, 6, null]])
    expect(filter.takeGone()).toBeUndefined()
    expect(decode(filter.encodeTheirs())).toEqual([[2, 5, 'b']])
  })

  test('W9 presence that does not decode is an error', () => {
    const filter = new PresenceFilter()
    expect(() => filter.fromProvider(Uint8Array.of(1, 2, 3))).toThrow()
    expect(() => filter.fromRelay(Uint8Array.of(1, 2, 3))).toThrow()
  })
})
