import { encodeFrame, encodeStateVector, type NumberedUpdateMessage, STANDBY_FEATURE } from '@skein/protocol'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { documentReplica, Outbox, Session, type SessionEffects } from '../src/index.js'
import { decoded, HELLO, relayHello, STEP_1_EMPTY, STEP_2_EMPTY, updateOf } from './helpers.js'

const STANDBY_HELLO = relayHello({ features: [STANDBY_FEATURE] })
const ack = (to: number) => encodeFrame({ type: 'ack', from: 1, to, tier: 'relay' })
const types = (effects: SessionEffects) => decoded(effects).map(({ type }) => type)

/** A document with two sessions: one takes part, the other stands by. */
class TwoPaths {
  readonly doc = new Y.Doc()
  readonly outbox = new Outbox()
  readonly first: Session
  readonly second: Session

  constructor() {
    const replica = documentReplica(this.doc)
    const options = { hasOtherPaths: true }
    this.first = new Session('agent', replica, this.outbox, 0, options)
    this.second = new Session('agent', replica, this.outbox, 0, { ...options, standsBy: true })
    this.first.opened()
    this.first.receive(0, STANDBY_HELLO)
    this.first.receive(0, STEP_1_EMPTY)
    this.first.receive(0, STEP_2_EMPTY)
  }

  /** An edit with a number, for whichever session is to take it. */
  edit(key: string): Uint8Array {
    let update: Uint8Array | undefined
    const keep = (bytes: Uint8Array) => {
      update = bytes
    }
    this.doc.on('update', keep)
    this.doc.getMap('state').set(key, key)
    this.doc.off('update', keep)
    this.outbox.add()
    return update!
  }
}

/** The second one has been greeted. */
function standingBy() {
  const paths = new TwoPaths()
  paths.second.opened()
  paths.second.receive(0, STANDBY_HELLO)
  paths.second.receive(0, STEP_1_EMPTY)
  const { doc, second } = paths
  return { doc, second, edit: (key: string) => paths.edit(key) }
}

describe('S20 a session that stands by', () => {
  test('S20 says so once the relay has said that it knows how, and neither asks nor answers', () => {
    const { second } = new TwoPaths()
    expect(second.opened()).toMatchObject({ send: [], apply: [] })
    expect(second.ready).toBe(false)
    expect(decoded(second.receive(0, STANDBY_HELLO))).toMatchObject([
      { type: 'hello', features: expect.arrayContaining([STANDBY_FEATURE]) },
      { type: 'standby', on: true },
    ])
    expect(second.ready).toBe(true)
    expect(second.live).toBe(false)
    expect(second.receive(0, STEP_1_EMPTY).send).toEqual([])
  })

  // Seed 48 of the simulator: a relay that lied had thrown away what the edits over the other path built on.
  test('S20 R19 answers a relay that misses something before what it was sent', () => {
    const { second, edit, doc } = standingBy()
    second.edit(edit('a'))
    const answer = second.receive(0, STEP_1_EMPTY)
    expect(decoded(answer)).toMatchObject([{ type: 'numbered-update', seq: 2, answersStep1: true }])
    expect(second.live).toBe(false)
    const copy = new Y.Doc()
    Y.applyUpdate(copy, (decoded(answer)[0] as NumberedUpdateMessage).update)
    expect(copy.getMap('state').toJSON()).toEqual(doc.getMap('state').toJSON())
  })

  test('S20 is not ready at a relay that does not know how', () => {
    const { second } = new TwoPaths()
    second.opened()
    expect(types(second.receive(0, HELLO))).toEqual(['hello'])
    expect(second.ready).toBe(false)
  })

  test('S20 is pinged, and dies of silence', () => {
    const { second } = new TwoPaths()
    second.opened()
    second.receive(0, STANDBY_HELLO)
    expect(types(second.timeout(second.deadline))).toEqual(['ping'])
    expect(second.receive(40, encodeFrame({ type: 'pong', pingSentAtUs: 0 })).roundTripMs).toBe(40)
    expect(types(second.timeout(second.deadline))).toEqual(['ping'])
    expect(second.timeout(second.deadline).close).toBeDefined()
  })

  test('S20 hands on news, and what it asked for', () => {
    const { second } = new TwoPaths()
    second.opened()
    second.receive(0, STANDBY_HELLO)
    const stateVector = encodeStateVector(new Map([[7, 3]]))
    expect(second.receive(0, encodeFrame({ type: 'news', stateVector })).news).toMatchObject({ stateVector })
    expect(types(second.ask())).toEqual(['sync-step-1'])
    const update = updateOf('a')
    expect(second.receive(0, encodeFrame({ type: 'sync-step-2', update })).apply).toEqual([update])
    expect(second.ready).toBe(true)
  })

  test('S20 takes part when it is told, and sends edits before the exchange is over', () => {
    const paths = new TwoPaths()
    const { second, outbox } = paths
    second.opened()
    second.receive(0, STANDBY_HELLO)
    const before = paths.edit('a')
    const effects = second.activate()
    expect(types(effects)).toEqual(['standby', 'sync-step-1'])
    expect(effects.announce).toBe(true)
    expect(types(second.edit(before, { from: 1, upTo: 1 }))).toEqual(['numbered-update'])
    expect(types(second.edit(paths.edit('b')))).toEqual(['numbered-update'])
    const [answer] = decoded(second.receive(0, STEP_1_EMPTY))
    expect(answer).toMatchObject({ type: 'numbered-update', answersStep1: true })
    const doc = new Y.Doc()
    Y.applyUpdate(doc, (answer as NumberedUpdateMessage).update)
    expect(doc.getMap('state').toJSON()).toEqual({ a: 'a', b: 'b' })
    second.receive(0, STEP_2_EMPTY)
    expect(second.live).toBe(true)
    second.receive(0, ack(3))
    expect(outbox.confirmed).toBe(2)
  })

  test('S20 stands by again, and exchanges again when it takes part again', () => {
    const { first } = new TwoPaths()
    expect(decoded(first.standDown())).toEqual([{ type: 'standby', on: true }])
    expect(first.standDown().send).toEqual([])
    expect(first.ready).toBe(true)
    expect(first.live).toBe(false)
    expect(types(first.activate())).toEqual(['standby', 'sync-step-1'])
    expect(first.activate().send).toEqual([])
    expect(first.live).toBe(false)
    first.receive(0, STEP_1_EMPTY)
    first.receive(0, STEP_2_EMPTY)
    expect(first.live).toBe(true)
  })
})

describe('S21 several paths share the edits', () => {
  function bothReady() {
    const paths = new TwoPaths()
    paths.first.receive(0, ack(1))
    paths.second.opened()
    paths.second.receive(0, STANDBY_HELLO)
    return paths
  }

  test('S21 an acknowledgement confirms the edits that went over its path, no others', () => {
    const paths = bothReady()
    const { first, second, outbox } = paths
    first.edit(paths.edit('a'))
    second.edit(paths.edit('b'), { from: 2, upTo: 2 })
    first.edit(paths.edit('c'))
    expect(second.receive(0, ack(1)).answered).toEqual([{ from: 2, upTo: 2 }])
    expect(outbox.confirmed).toBe(0)
    expect(outbox.isConfirmed(2)).toBe(false)
    expect(first.receive(0, ack(3)).answered).toEqual([
      { from: 1, upTo: 1 },
      { from: 3, upTo: 3 },
    ])
    expect(outbox.confirmed).toBe(3)
  })

  test('S21 edits that were held back are confirmed as those that they were', () => {
    const paths = bothReady()
    const { first, second, outbox } = paths
    first.congestion()
    for (const key of ['a', 'b']) first.edit(paths.edit(key))
    second.edit(paths.edit('c'), { from: 3, upTo: 3 })
    first.edit(paths.edit('d'))
    first.relieved()
    expect(first.receive(0, ack(2)).answered).toEqual([
      { from: 1, upTo: 2 },
      { from: 4, upTo: 4 },
    ])
    expect(outbox.confirmed).toBe(2)
    second.receive(0, ack(1))
    expect(outbox.confirmed).toBe(4)
  })

  test('S21 what the answer to a step 1 held is not sent again', () => {
    const paths = bothReady()
    const update = paths.edit('a')
    paths.second.activate()
    paths.second.receive(0, STEP_1_EMPTY)
    expect(paths.second.edit(update, { from: 1, upTo: 1 }).send).toEqual([])
  })

  test('S21 many unacknowledged updates lose none', () => {
    const paths = bothReady()
    const { first, outbox } = paths
    const count = 10_050
    for (let i = 0; i < count; i++) first.edit(paths.edit('a'))
    expect(outbox.unconfirmed).toBe(count)
    first.receive(0, ack(count + 1))
    expect(outbox.confirmed).toBe(count)
  })
})

describe('S22 what has arrived', () => {
  const received = (to: number) => encodeFrame({ type: 'received', to })
  /** Edits 1 to 3 as numbers 2 to 4, behind the answer to the first step 1. */
  function threeOnTheirWay() {
    const paths = new TwoPaths()
    const { first, outbox } = paths
    first.receive(0, ack(1))
    for (const key of ['a', 'b', 'c']) first.edit(paths.edit(key))
    return { first, outbox }
  }

  test('S22 received tells of it, once, and confirms nothing', () => {
    const { first, outbox } = threeOnTheirWay()
    expect(first.receive(0, received(3)).answered).toEqual([
      { from: 1, upTo: 1 },
      { from: 2, upTo: 2 },
    ])
    expect(first.receive(0, received(2)).answered).toBeUndefined()
    expect(outbox.confirmed).toBe(0)
    expect(first.receive(0, ack(3)).answered).toBeUndefined()
    expect(outbox.confirmed).toBe(2)
  })

  test('S22 so does an acknowledgement where there was no received before', () => {
    const { first } = threeOnTheirWay()
    first.receive(0, received(2))
    expect(first.receive(0, ack(4)).answered).toEqual([
      { from: 2, upTo: 2 },
      { from: 3, upTo: 3 },
    ])
  })

  test('S22 and a rejection', () => {
    const { first, outbox } = threeOnTheirWay()
    const reject = encodeFrame({ type: 'reject', seq: 3, code: 'forbidden', reason: 'no' })
    expect(first.receive(0, reject).answered).toEqual([{ from: 2, upTo: 2 }])
    expect(first.receive(0, received(4)).answered).toEqual([
      { from: 1, upTo: 1 },
      { from: 3, upTo: 3 },
    ])
    expect(outbox.confirmed).toBe(0)
  })
})

test('O5 edits that are confirmed out of turn count when those before them are', () => {
  const outbox = new Outbox()
  for (let i = 0; i < 6; i++) outbox.add()
  outbox.confirmEdits(4, 5)
  expect(outbox.confirmed).toBe(0)
  outbox.confirm(2)
  expect(outbox.confirmed).toBe(2)
  outbox.confirmEdits(3, 3, 'quorum')
  expect(outbox.confirmed).toBe(5)
  expect(outbox.isConfirmed(3, 'quorum')).toBe(false)
  outbox.confirm(6, 'quorum')
  expect(outbox.isConfirmed(6, 'quorum')).toBe(true)
})

test('O5 edits of earlier runs are not confirmed by later ones', () => {
  const outbox = new Outbox(2)
  outbox.add()
  outbox.confirmEdits(3, 3)
  expect(outbox.confirmed).toBe(0)
  outbox.confirm(2)
  expect(outbox.confirmed).toBe(3)
  expect(outbox.isConfirmed(3)).toBe(true)
})
