import { decodeFrame, encodeFrame } from '@skein/protocol'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { ASK_MISSING_AFTER_MS, documentDigest, documentReplica, Outbox, Session } from '../src/index.js'
import {
  decoded,
  HELLO,
  liveSession,
  relayHello,
  STEP_1_EMPTY,
  STEP_2_EMPTY,
  session,
  updateOf,
} from './helpers.js'

const ack = (from: number, to: number) => encodeFrame({ type: 'ack', from, to, tier: 'relay' })

/** Numbers an edit and gives it to the session. */
function edit({ doc, outbox, session }: ReturnType<typeof liveSession>, key: string) {
  let update: Uint8Array | undefined
  const keep = (bytes: Uint8Array) => {
    update = bytes
  }
  doc.on('update', keep)
  doc.getMap('state').set(key, key)
  doc.off('update', keep)
  outbox.add()
  return session.edit(update!)
}

describe('session', () => {
  test('S1 opens with step 1 and an announcement', () => {
    const { doc, session: s } = session()
    doc.getMap('state').set('a', 1)
    const effects = s.opened()
    expect(decoded(effects)).toEqual([
      { type: 'sync-step-1', stateVector: Y.encodeStateVector(doc), digest: documentDigest(doc) },
    ])
    expect(effects.announce).toBe(true)
  })

  test('S2 sends a plain server nothing that a stock client would not', () => {
    const parts = session()
    const { session: s } = parts
    const sent = [
      s.opened(),
      s.receive(1, STEP_1_EMPTY),
      s.receive(2, STEP_2_EMPTY),
      edit(parts, 'a'),
      s.timeout(20_002),
    ].flatMap((effects) => effects.send)
    expect(s.live).toBe(true)
    expect(sent.length).toBe(4)
    for (const frame of sent) expect(frame[0]).toBeLessThan(64)
  })

  test('S3 answers a relay with a numbered update, a plain server with a step 2', () => {
    const plain = session()
    plain.doc.getMap('state').set('a', 1)
    plain.session.opened()
    expect(decoded(plain.session.receive(1, STEP_1_EMPTY))).toEqual([
      { type: 'sync-step-2', update: Y.encodeStateAsUpdate(plain.doc) },
    ])

    const relay = session()
    relay.doc.getMap('state').set('a', 1)
    relay.session.opened()
    relay.session.receive(1, HELLO)
    expect(decoded(relay.session.receive(1, STEP_1_EMPTY))).toEqual([
      { type: 'numbered-update', seq: 1, answersStep1: true, update: Y.encodeStateAsUpdate(relay.doc) },
    ])
  })

  test('S4 is live after both exchanges, in either order', () => {
    for (const order of [
      [STEP_1_EMPTY, STEP_2_EMPTY],
      [STEP_2_EMPTY, STEP_1_EMPTY],
    ]) {
      const { session: s } = session()
      s.opened()
      s.receive(1, HELLO)
      s.receive(1, order[0]!)
      s.receive(1, order[1]!)
      expect(s.live).toBe(true)
    }
  })

  test('S4 gives everything to a server that never asks', () => {
    const { doc, session: s } = session()
    doc.getMap('state').set('a', 1)
    s.opened()
    const effects = s.receive(1, STEP_2_EMPTY)
    expect(decoded(effects)).toEqual([{ type: 'update', update: Y.encodeStateAsUpdate(doc) }])
    expect(s.live).toBe(true)
  })

  test('S5 an edit before the other side has asked is sent once, in the answer', () => {
    const parts = session()
    parts.session.opened()
    parts.session.receive(0, HELLO)
    expect(edit(parts, 'early').send).toEqual([])
    const [answer] = decoded(parts.session.receive(1, STEP_1_EMPTY))
    expect(answer).toMatchObject({ type: 'numbered-update', update: Y.encodeStateAsUpdate(parts.doc) })
  })

  test('S6 an acknowledgement confirms every edit made before that number was sent', () => {
    const parts = session(new Y.Doc(), new Outbox(3))
    parts.session.opened()
    parts.session.receive(0, HELLO)
    parts.session.receive(0, STEP_1_EMPTY) // number 1 covers the 3 edits of an earlier run
    edit(parts, 'a') // number 2
    edit(parts, 'b') // number 3
    expect(parts.outbox.unconfirmed).toBe(5)
    parts.session.receive(1, ack(1, 1))
    expect(parts.outbox.unconfirmed).toBe(2)
    parts.session.receive(2, ack(2, 3))
    expect(parts.outbox.unconfirmed).toBe(0)
  })

  test('S6 a number that was never sent confirms nothing', () => {
    const parts = liveSession()
    edit(parts, 'a') // number 2
    parts.session.receive(1, ack(1_000, 2_000))
    expect(parts.outbox.unconfirmed).toBe(1)
    parts.session.receive(2, ack(1, 2))
    expect(parts.outbox.unconfirmed).toBe(0)
  })

  test('S6 confirms nothing beyond a refused number', () => {
    const parts = liveSession()
    edit(parts, 'a') // number 2
    edit(parts, 'b') // number 3
    edit(parts, 'c') // number 4
    const reject = encodeFrame({ type: 'reject', seq: 3, code: 'too-large', reason: 'no' })
    expect(parts.session.receive(1, reject).problem).toMatchObject({ kind: 'rejected', code: 'too-large' })
    parts.session.receive(2, ack(1, 2))
    parts.session.receive(3, ack(4, 4))
    expect(parts.outbox.confirmed).toBe(1)
  })

  test('S7 a plain server is handed edits but confirms none', () => {
    const parts = session()
    parts.session.opened()
    parts.session.receive(0, STEP_1_EMPTY)
    edit(parts, 'a')
    expect(parts.outbox.notHandedOver).toBe(0)
    expect(parts.outbox.unconfirmed).toBe(1)
  })

  test('S8 an edit over the limit is reported and later ones go on, unconfirmed', () => {
    const parts = liveSession()
    parts.outbox.add()
    const effects = parts.session.edit(new Uint8Array((1 << 19) + 1))
    expect(effects.send).toEqual([])
    expect(effects.problem).toMatchObject({ kind: 'too-large', bytesMax: 1 << 19 })
    expect(decoded(edit(parts, 'small'))).toMatchObject([{ type: 'numbered-update', seq: 2 }])
    parts.session.receive(1, ack(1, 2))
    expect(parts.outbox.confirmed).toBe(0)
  })

  test.each([
    ['a frame', Uint8Array.of(0, 9)],
    ['a state vector', Uint8Array.of(0, 0, 1, 255)],
    ['an update', encodeFrame({ type: 'update', update: Uint8Array.of(1, 1, 1) })],
    ['a step 2', encodeFrame({ type: 'sync-step-2', update: Uint8Array.of(0, 0, 7) })],
  ])('S9 %s that does not decode closes the connection and is not applied', (_what, frame) => {
    const effects = liveSession().session.receive(1, frame)
    expect(effects.apply).toEqual([])
    expect(effects.close?.code).toBe(4400)
    expect(effects.problem?.kind).toBe('malformed')
  })

  test('S9 applies what decodes, and skips unknown messages', () => {
    const { session: s } = liveSession()
    const update = updateOf('a')
    expect(s.receive(1, encodeFrame({ type: 'update', update })).apply).toEqual([update])
    expect(s.receive(2, Uint8Array.of(120, 1, 2))).toEqual({ send: [], apply: [], presence: [] })
  })

  /** Live, with both early pings answered at time 0 and 1,000. */
  function pingedSession() {
    const parts = liveSession()
    parts.session.timeout(1_000)
    parts.session.receive(1_000, encodeFrame({ type: 'pong', pingSentAtUs: 1_000_000 }))
    return parts
  }

  test('S10 a relay is pinged when live, a second later, then every 10 s', () => {
    const { session: s } = liveSession()
    expect(s.deadline).toBe(1_000)
    expect(decoded(s.timeout(1_000))).toEqual([{ type: 'ping', sentAtUs: 1_000_000 }])
    s.receive(1_005, encodeFrame({ type: 'pong', pingSentAtUs: 1_000_000 }))
    expect(s.roundTripMs).toBe(5)
    expect(s.deadline).toBe(11_005)
  })

  test('S10 without an answer to a ping the connection is dead', () => {
    const { session: s } = pingedSession()
    s.timeout(11_000)
    expect(s.deadline).toBe(16_000)
    expect(s.timeout(16_000).close?.code).toBe(4000)
  })

  test('S10 a pong measures the round trip and ends the alarm, whatever the traffic', () => {
    const { session: s } = pingedSession()
    for (let now = 2_000; now < 11_000; now += 500) {
      s.receive(now, encodeFrame({ type: 'update', update: updateOf('a') }))
    }
    expect(decoded(s.timeout(11_000))).toMatchObject([{ type: 'ping' }])
    s.receive(11_023, encodeFrame({ type: 'pong', pingSentAtUs: 11_000_000 }))
    expect(s.roundTripMs).toBe(23)
    expect(s.deadline).toBe(21_023)
  })

  test('S10 other messages put the alarm off, but not for ever', () => {
    const { session: s } = pingedSession()
    s.timeout(11_000)
    for (let now = 13_000; now < 41_000; now += 2_000) {
      s.receive(now, encodeFrame({ type: 'update', update: updateOf('a') }))
    }
    expect(s.deadline).toBe(41_000)
    expect(s.timeout(41_000).close).toBeDefined()
  })

  // Seed 11282 of the simulator: over narrow lines one path after the other was given up, and everything sent anew.
  test('S10 a ping that waits in the socket is not missed yet, but not for ever', () => {
    const { session: s } = pingedSession()
    s.filled(10_900, true)
    s.timeout(11_000)
    expect(s.deadline).toBe(41_000)
    s.filled(20_000, false)
    expect(s.deadline).toBe(25_000)
    s.filled(21_000, true)
    expect(s.deadline).toBe(41_000)
    expect(s.timeout(41_000).close).toBeDefined()
  })

  test('S10 a late timer asks once more before it gives up', () => {
    const { session: s } = pingedSession()
    s.timeout(11_000)
    expect(decoded(s.timeout(70_000))).toMatchObject([{ type: 'ping' }])
    expect(s.timeout(130_000).close).toBeDefined()
  })

  test('S10 a plain server is asked for a step 2', () => {
    const { session: s } = session()
    s.opened()
    s.receive(0, STEP_1_EMPTY)
    s.receive(0, STEP_2_EMPTY)
    expect(s.deadline).toBe(20_000)
    expect(decoded(s.timeout(20_000))).toMatchObject([{ type: 'sync-step-1' }])
    s.receive(20_040, STEP_2_EMPTY)
    expect(s.roundTripMs).toBe(40)
    s.timeout(40_040)
    expect(s.timeout(50_040).close).toBeDefined()
  })

  test('S11 the first exchange may stay silent for two minutes', () => {
    const { session: s } = session()
    s.opened()
    expect(s.timeout(119_999).close).toBeUndefined()
    expect(s.timeout(120_000).close).toBeDefined()
  })

  test('S12 edits held back follow as one update, and only then count as sent', () => {
    const parts = liveSession()
    edit(parts, 'a') // number 2
    parts.session.congestion()
    expect(edit(parts, 'b').send).toEqual([])
    expect(edit(parts, 'c').send).toEqual([])
    parts.session.receive(1, ack(1, 2))
    expect(parts.outbox.unconfirmed).toBe(2)
    const [late] = decoded(parts.session.relieved())
    expect(late).toMatchObject({ type: 'numbered-update', seq: 3 })
    const other = new Y.Doc()
    Y.applyUpdate(other, (late as { update: Uint8Array }).update)
    expect(other.store.pendingStructs).not.toBeNull() // it holds b and c, not a
    parts.session.receive(2, ack(3, 3))
    expect(parts.outbox.unconfirmed).toBe(0)
  })

  test('S13 versions that do not meet close with a final code', () => {
    const { session: s } = session()
    s.opened()
    const hello = relayHello({ versionMin: 7, versionMax: 9 })
    expect(s.receive(1, hello).close?.code).toBe(4406)
  })

  test('S14 a replica without an epoch keeps the relay’s; one of another is closed, and nothing is merged', () => {
    for (const [mine, theirs, kept, closed] of [
      ['', '', undefined, undefined],
      ['', 'e1', 'e1', undefined],
      ['e1', 'e1', undefined, undefined],
      ['e1', '', undefined, undefined],
      ['e1', 'e2', undefined, 4409],
    ] as const) {
      const replica = documentReplica(new Y.Doc(), () => mine)
      const s = new Session('agent', replica, new Outbox(), 0)
      s.opened()
      const effects = s.receive(0, relayHello({ epoch: theirs }))
      expect(effects.epoch).toBe(kept)
      expect(effects.close?.code).toBe(closed)
      if (closed === undefined) expect(decoded(effects)).toMatchObject([{ epoch: mine || theirs }])
      else expect(effects).toMatchObject({ send: [], problem: { kind: 'wrong-epoch', mine, theirs } })
    }
  })

  test('S14 a relay may say hello again when its space gets an epoch; it is not answered again', () => {
    const { session: s } = liveSession()
    expect(s.receive(0, relayHello({ epoch: 'e1' }))).toMatchObject({ send: [], epoch: 'e1' })
  })

  test('S18 the relay is told to hurry while somebody waits, behind what is sent', () => {
    const parts = liveSession()
    const types = (effects: { send: readonly Uint8Array[] }) =>
      effects.send.map((frame) => decodeFrame(frame).type)
    parts.session.receive(0, ack(1, 1))
    parts.outbox.awaitConfirmation()
    expect(types(parts.session.hurry())).toEqual([])
    expect(types(edit(parts, 'a'))).toEqual(['numbered-update'])
    parts.outbox.awaitConfirmation()
    expect(types(parts.session.hurry())).toEqual(['hurry'])
    expect(types(edit(parts, 'b'))).toEqual(['numbered-update', 'hurry'])
    parts.session.receive(0, ack(2, 3))
    expect(types(edit(parts, 'c'))).toEqual(['numbered-update'])
  })

  test('S15 a large edit goes in chunks, a burst at a time; later edits wait for it and follow', () => {
    const parts = liveSession(relayHello({ features: ['chunks'], updateBytesMax: 1 << 23 }))
    const { session: s, outbox, doc } = parts
    doc.getMap('state').set('large', 'x'.repeat(3 << 20))
    outbox.add()
    let effects = s.edit(Y.encodeStateAsUpdate(doc))
    expect(edit(parts, 'later').send).toEqual([])
    const frames = [...effects.send]
    for (let bursts = 1; effects.more; bursts++) {
      expect(frames.length).toBeLessThanOrEqual(bursts * 5)
      effects = s.sendMore()
      frames.push(...effects.send)
    }
    const messages = frames.map(decodeFrame)
    const parts2 = messages.flatMap((message) => (message.type === 'chunk' ? [message.part] : []))
    expect(decodeFrame(Buffer.concat(parts2))).toMatchObject({ type: 'numbered-update', seq: 2 })
    expect(messages.at(-1)).toMatchObject({ type: 'numbered-update', seq: 3 })
    s.receive(0, ack(1, 2))
    expect(outbox.unconfirmed).toBe(1)
    s.receive(0, ack(3, 3))
    expect(outbox.unconfirmed).toBe(0)
  })

  test('S15 while a large edit is on its way a pong may take longer', () => {
    const { session: s, outbox } = liveSession(relayHello({ features: ['chunks'], updateBytesMax: 1 << 23 }))
    outbox.add()
    s.edit(updateOf('large', 'x'.repeat(3 << 20)))
    s.probe(100_000)
    expect(s.timeout(110_000).close).toBeUndefined()
    expect(s.timeout(130_000).close).toBeDefined()
  })

  test('S16 chunks are put together; one that is not the next closes the connection', () => {
    const { session: s } = liveSession()
    const message = encodeFrame({ type: 'update', update: updateOf('a', 'x'.repeat(1_000)) })
    const chunk = (offset: number, end: number) =>
      encodeFrame({ type: 'chunk', total: message.length, offset, part: message.subarray(offset, end) })
    expect(s.receive(1, chunk(0, 500)).apply).toEqual([])
    expect(s.receive(1, chunk(500, message.length)).apply).toHaveLength(1)
    expect(s.receive(1, chunk(500, message.length)).close?.code).toBe(4400)
  })

  test('S17 a document that waits for something missing asks for it, at most every 5 s', () => {
    const { session: s, doc } = liveSession()
    const author = new Y.Doc()
    const updates: Uint8Array[] = []
    author.on('update', (update: Uint8Array) => updates.push(update))
    for (const key of ['a', 'b', 'c', 'd']) author.getMap('state').set(key, key)
    const apply = (nowMs: number, i: number) => {
      Y.applyUpdate(doc, updates[i]!)
      return decoded(s.applied(nowMs)).map(({ type }) => type)
    }
    expect(apply(10, 1)).toEqual(['sync-step-1'])
    expect(apply(20, 2)).toEqual([])
    expect(s.deadline).toBeLessThanOrEqual(10 + ASK_MISSING_AFTER_MS)
    expect(decoded(s.timeout(10 + ASK_MISSING_AFTER_MS))).toContainEqual(
      expect.objectContaining({ type: 'sync-step-1' }),
    )
    expect(apply(ASK_MISSING_AFTER_MS + 20, 0)).toEqual([])
    expect(doc.getMap('state').toJSON()).toEqual({ a: 'a', b: 'b', c: 'c' })
  })
})

describe('outbox', () => {
  test('O3 of what earlier runs left nothing is confirmed before a relay has confirmed anything', () => {
    const outbox = new Outbox(0, true)
    expect(outbox.isConfirmed(0)).toBe(false)
    outbox.confirm(0)
    expect(outbox.isConfirmed(0)).toBe(true)
  })

  test('O1 edits of an earlier run come first', () => {
    const outbox = new Outbox(2)
    expect(outbox.unconfirmed).toBe(2)
    expect(outbox.add()).toBe(3)
  })

  test('O4 what a majority has one relay has, not the other way round', () => {
    const outbox = new Outbox()
    for (let i = 0; i < 3; i++) outbox.add()
    outbox.confirm(1, 'quorum')
    outbox.confirm(2, 'relay')
    expect([1, 2].map((edit) => outbox.isConfirmed(edit, 'relay'))).toEqual([true, true])
    expect([1, 2].map((edit) => outbox.isConfirmed(edit, 'quorum'))).toEqual([true, false])
    outbox.confirmEdits(3, 3, 'quorum')
    expect(outbox.isConfirmed(3, 'relay')).toBe(true)
    expect(outbox.isConfirmed(3, 'quorum')).toBe(false)
  })

  test('O2 marks only rise', () => {
    const outbox = new Outbox()
    outbox.add()
    outbox.add()
    expect(outbox.isConfirmed(0)).toBe(true)
    outbox.confirm(2)
    outbox.confirm(1)
    outbox.handOver(1)
    expect(outbox.unconfirmed).toBe(0)
    expect(outbox.notHandedOver).toBe(0)
  })
})

test('S24 of many step 1s while the connection is congested the last is answered, once there is room', () => {
  const { session: one, doc, outbox } = session()
  one.opened()
  one.receive(0, relayHello({ features: ['chunks'] }))
  one.receive(0, STEP_1_EMPTY)
  one.receive(0, STEP_2_EMPTY)
  one.congestion()
  doc.getMap('state').set('k', 1)
  outbox.add()
  one.edit(Y.encodeStateAsUpdate(doc))
  for (let i = 0; i < 100; i++) expect(one.receive(0, STEP_1_EMPTY).send).toEqual([])
  const sent = decoded(one.relieved())
  expect(sent).toMatchObject([{ type: 'numbered-update', answersStep1: true }])
  one.receive(0, encodeFrame({ type: 'ack', from: 1, to: 2, tier: 'relay' }))
  expect(outbox.unconfirmed).toBe(0)
})

test('S6 a rejection of a number that was never sent says nothing', () => {
  const { session: one } = session()
  one.opened()
  one.receive(0, HELLO)
  const reject = encodeFrame({ type: 'reject', seq: 4_000_000, code: 'forbidden', reason: 'no' })
  expect(one.receive(0, reject)).toEqual({ send: [], apply: [], presence: [] })
})
