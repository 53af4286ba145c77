import { encodeFrame, type StrongRequestMessage } from '@skein/protocol'
import { expect, test } from 'vitest'
import { decoded, HELLO, liveSession, relayHello, session } from './helpers.js'

const GET: StrongRequestMessage = {
  type: 'strong-request',
  number: 1,
  request: { kind: 'get', key: 'lock/front', deadlineMs: 100 },
}

test('S19 strong requests go to a relay that takes them, from its hello on', () => {
  const { session: s } = session()
  s.opened()
  expect(s.takesStrong).toBe(false)
  expect(s.strong(GET).send).toEqual([])
  s.receive(0, relayHello({ features: ['strong'] }))
  expect(s.takesStrong).toBe(true)
  expect(decoded(s.strong(GET))).toEqual([GET])
  expect(liveSession(HELLO).session.strong(GET).send).toEqual([])
})

test('S19 a strong request overtakes what is left of a large message', () => {
  const {
    session: s,
    doc,
    outbox,
  } = liveSession(relayHello({ features: ['chunks', 'strong'], updateBytesMax: 1 << 23 }))
  doc.getMap('state').set('large', 'x'.repeat(3 << 20))
  outbox.add()
  const update = encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
  expect(s.receive(0, update).more).toBe(true)
  expect(decoded(s.strong(GET))).toEqual([GET])
})

test('S19 answers and events are handed on', () => {
  const { session: s } = liveSession(relayHello({ features: ['strong'] }))
  const answer = { type: 'strong-answer', number: 1, answer: { kind: 'unknown' } } as const
  const entry = { value: '1', version: 1, fence: 1 }
  const event = { type: 'strong-event', key: 'lock/front', entry } as const
  expect(s.receive(0, encodeFrame(answer)).strong).toEqual([answer])
  expect(s.receive(0, encodeFrame(event)).strong).toEqual([event])
})
