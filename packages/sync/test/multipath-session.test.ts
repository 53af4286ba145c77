import {
  decodeFrame,
  encodeFrame,
  encodeStateVector,
  type Message,
  type NumberedUpdateMessage,
  STANDBY_FEATURE,
  STRONG_FEATURE,
} from '@skein/protocol'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  documentDigest,
  documentReplica,
  MULTIPATH_LIMITS,
  type MultipathEffects,
  MultipathSession,
  Outbox,
  PATH_LIMITS,
} from '../src/index.js'
import { RelayClaims } from '../src/relay-claims.js'
import { HELLO, relayHello, STEP_1_EMPTY, STEP_2_EMPTY, updateOf } from './helpers.js'

const STANDBY_HELLO = relayHello({
  features: [STANDBY_FEATURE, STRONG_FEATURE],
  frameBytesMax: 1 << 24,
  updateBytesMax: 1 << 24,
})
const ack = (to: number) => encodeFrame({ type: 'ack', from: 1, to, tier: 'relay' })
const received = (to: number) => encodeFrame({ type: 'received', to })

/** An agent and what it sends over each path. */
class Agent {
  readonly doc = new Y.Doc()
  readonly outbox = new Outbox()
  readonly session: MultipathSession
  readonly effects: MultipathEffects[] = []
  nowMs = 0
  /** Paths over which nothing comes any more. */
  readonly mute = new Set<number>()
  private sent = new Map<number, Message[]>()

  constructor(hasOtherPaths = true) {
    this.doc.clientID = 1
    this.session = new MultipathSession('agent', documentReplica(this.doc), this.outbox, { hasOtherPaths })
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'relay') return
      this.outbox.add()
      this.did(this.session.edit(this.nowMs, update))
    })
  }

  did(effects: MultipathEffects): MultipathEffects {
    this.effects.push(effects)
    for (const { path, frame } of effects.send) {
      const message = decodeFrame(frame) as Message
      if (message.type !== 'ping') this.sent.set(path, [...(this.sent.get(path) ?? []), message])
      else this.receive(path, encodeFrame({ type: 'pong', pingSentAtUs: message.sentAtUs }))
    }
    for (const update of effects.apply) Y.applyUpdate(this.doc, update, 'relay')
    if (effects.apply.length > 0) this.did(this.session.applied(this.nowMs))
    return effects
  }

  receive(path: number, ...frames: Uint8Array[]): void {
    if (this.mute.has(path)) return
    for (const frame of frames) this.did(this.session.receive(this.nowMs, path, frame))
  }

  /** A path that opens and is greeted; the first is up to date then. */
  open(path: number, hello = STANDBY_HELLO): void {
    const isFirst = this.session.active === undefined
    this.did(this.session.opened(this.nowMs, path))
    this.receive(path, hello)
    if (isFirst) this.receive(path, STEP_1_EMPTY, STEP_2_EMPTY)
  }

  /** Lets time pass. Pings are answered at once. */
  wait(forMs: number): void {
    const endMs = this.nowMs + forMs
    let atOnce = 0
    while (this.session.deadlineMs <= endMs) {
      const { deadlineMs } = this.session
      atOnce = deadlineMs > this.nowMs ? 0 : atOnce + 1
      // Whoever always wants to be called again at once never stops.
      expect(atOnce).toBeLessThan(5)
      this.nowMs = Math.max(this.nowMs, deadlineMs)
      this.did(this.session.timeout(this.nowMs, 0.5))
    }
    this.nowMs = endMs
  }

  set(key: string, value: unknown = key): void {
    this.doc.getMap('state').set(key, value)
  }

  /** What was sent over a path since the last time, but for pings. */
  take(path: number): Message[] {
    const sent = this.sent.get(path) ?? []
    this.sent.delete(path)
    return sent
  }

  types(path: number): string[] {
    return this.take(path).map(({ type }) => type)
  }

  /** Two paths, of which the first takes part, after an edit that went over both. */
  static withTwo(): Agent {
    const agent = new Agent()
    agent.open(0)
    agent.open(1)
    agent.set('start')
    agent.receive(0, ack(2))
    agent.receive(1, ack(1))
    agent.wait(300)
    agent.take(0)
    agent.take(1)
    return agent
  }
}

function keysOfUpdates(message: Message): string[] {
  return message.type === 'numbered-update' ? keysIn(message) : []
}

/** The keys that an update sets, whether or not what it builds on is there. */
function keysIn(message: Message | undefined): string[] {
  const { structs } = Y.decodeUpdate((message as NumberedUpdateMessage).update)
  return structs.flatMap((struct) => (struct instanceof Y.Item ? (struct.parentSub ?? []) : [])).sort()
}

test('M1 the first path takes part, the next stands by', () => {
  const agent = new Agent()
  agent.open(0)
  agent.open(1)
  expect(agent.session.active).toBe(0)
  expect(agent.session.live).toBe(true)
  expect(agent.types(0)).toEqual(['sync-step-1', 'hello', 'numbered-update'])
  expect(agent.types(1)).toEqual(['hello', 'standby'])
})

describe('M2 a change of the path', () => {
  test('M2 M3 when the active path closes the other takes part at once, and edits go over it before it has exchanged', () => {
    const agent = Agent.withTwo()
    agent.set('a')
    agent.did(agent.session.closed(agent.nowMs, 0))
    expect(agent.session.active).toBe(1)
    expect(agent.session.live).toBe(true)
    const [standby, step1, again] = agent.take(1)
    expect(standby).toEqual({ type: 'standby', on: false })
    expect(step1?.type).toBe('sync-step-1')
    expect(keysIn(again)).toEqual(['a'])
    expect(agent.effects.at(-1)).toMatchObject({
      switched: { from: 0, to: 1, reason: 'closed' },
      announce: true,
    })
  })

  test('M2 the old path stands down once the new one is up to date, not before', () => {
    const agent = Agent.withTwo()
    // Nothing is answered any more over the first.
    agent.set('a')
    agent.mute.add(0)
    agent.wait(3_000)
    expect(agent.session.active).toBe(1)
    expect(agent.types(0)).not.toContain('standby')
    agent.receive(1, STEP_1_EMPTY, STEP_2_EMPTY)
    expect(agent.take(0).at(-1)).toEqual({ type: 'standby', on: true })
  })

  test('M3 one that was not greeted yet takes over as if it had come first', () => {
    const agent = new Agent()
    agent.open(0)
    agent.did(agent.session.opened(0, 1))
    agent.did(agent.session.closed(0, 0))
    expect(agent.session.active).toBe(1)
    expect(agent.types(1)).toEqual(['sync-step-1'])
    agent.receive(1, STANDBY_HELLO, STEP_1_EMPTY, STEP_2_EMPTY)
    expect(agent.session.live).toBe(true)
  })

  test('M3 a first path that says nothing is given up for one that is ready', () => {
    const agent = new Agent()
    agent.did(agent.session.opened(0, 0))
    agent.open(1)
    expect(agent.session.live).toBe(false)
    agent.wait(MULTIPATH_LIMITS.firstSilentMs - 1)
    expect(agent.session.active).toBe(0)
    agent.wait(1)
    expect(agent.session.active).toBe(1)
    // Nothing was exchanged with anybody so far.
    expect(agent.session.live).toBe(false)
    agent.receive(1, STEP_1_EMPTY, STEP_2_EMPTY)
    expect(agent.session.live).toBe(true)
  })
})

test('M2 S4 it is not live before anything was exchanged, nor when all paths were gone in between', () => {
  const agent = new Agent()
  agent.did(agent.session.opened(0, 0))
  agent.open(1)
  agent.did(agent.session.closed(0, 0))
  expect(agent.session.active).toBe(1)
  expect(agent.session.live).toBe(false)
  agent.receive(1, STEP_1_EMPTY, STEP_2_EMPTY)
  expect(agent.session.live).toBe(true)
  agent.did(agent.session.closed(0, 1))
  agent.did(agent.session.opened(0, 0))
  agent.receive(0, STANDBY_HELLO)
  expect(agent.session.live).toBe(false)
})

test('M3 signs of life do not keep a first path that does not exchange anything', () => {
  const agent = new Agent()
  agent.did(agent.session.opened(0, 0))
  agent.open(1)
  for (let i = 0; i < 5; i++) {
    agent.wait(400)
    agent.receive(0, encodeFrame({ type: 'awareness', update: Uint8Array.of(0) }))
  }
  expect(agent.session.active).toBe(1)
})

describe('M4 edits', () => {
  test('M4 go over the active path, and what it does not answer over the other, too', () => {
    const agent = Agent.withTwo()
    agent.set('a')
    expect(agent.types(0)).toEqual(['numbered-update'])
    expect(agent.types(1)).toEqual([])
    agent.mute.add(0)
    agent.wait(1_000)
    expect(agent.take(1).flatMap(keysOfUpdates)).toContain('a')
  })

  test('M4 received tells the choice, and confirms nothing', () => {
    const agent = Agent.withTwo()
    agent.set('a')
    agent.receive(0, received(3))
    expect(agent.outbox.unconfirmed).toBe(1)
    agent.wait(5_000)
    expect(agent.session.describe(0)?.report?.state).toBe('good')
    agent.receive(0, ack(3))
    expect(agent.outbox.unconfirmed).toBe(0)
  })

  test('M4 those that wait for the next message are not lost where the answer to another path holds them', () => {
    const agent = Agent.withTwo()
    agent.set('a')
    agent.set('b')
    // The other relay asks, as it does after an exchange; its connection may end before that arrives.
    agent.did(agent.session.closed(agent.nowMs, 1))
    agent.open(1)
    agent.receive(1, STEP_1_EMPTY)
    agent.wait(100)
    expect(agent.take(0).map(keysIn)).toEqual([['a'], ['b']])
  })

  test('M4 of many that nobody answers none is lost with the path', () => {
    const agent = Agent.withTwo()
    for (let i = 0; i < 6_000; i++) {
      agent.set(`k${i}`, 'x'.repeat(900))
      if (i % 100 === 0) agent.wait(1)
    }
    agent.wait(200)
    agent.did(agent.session.closed(agent.nowMs, 0))
    agent.take(1)
    agent.receive(1, STEP_1_EMPTY)
    expect(keysIn(agent.take(1).at(-1))).toHaveLength(6_001)
  })
})

test('M4 the answer to a copy counts for the path that it went over, though another has answered first', () => {
  const agent = new Agent()
  agent.open(0)
  agent.open(1)
  // The first edit after a pause goes over both.
  let [first, second] = [1, 0]
  for (let i = 0; i < 20; i++) {
    agent.set('a', i)
    agent.wait(40)
    agent.receive(0, received(++first))
    agent.wait(10)
    agent.receive(1, received(++second))
    agent.wait(PATH_LIMITS.idleMs + 1)
  }
  expect(agent.take(1).filter(({ type }) => type === 'numbered-update')).toHaveLength(20)
  expect(agent.session.describe(1)!.report).toMatchObject({ state: 'good', reliability: 1 })
})

/** How often it wants to be called in a minute in which nothing happens. */
function calls(agent: Agent): number {
  const before = agent.effects.length
  agent.wait(60_000)
  return agent.effects.length - before
}

test('M6 S8 an edit over the limit of the relay is not waited for', () => {
  const agent = Agent.withTwo()
  agent.wait(10_000)
  const idle = calls(agent)
  agent.set('large', 'x'.repeat((1 << 24) + 1))
  expect(agent.effects.flatMap(({ problems }) => problems)).toMatchObject([
    { problem: { kind: 'too-large' } },
  ])
  agent.wait(10_000)
  expect(calls(agent)).toBeLessThan(2 * idle)
  expect(agent.session.describe(0)?.report).toMatchObject({ state: 'good', backlog: 0 })
})

test('A2 without any path it wants nothing, whatever is on its way', () => {
  const agent = Agent.withTwo()
  agent.set('a')
  agent.did(agent.session.closed(agent.nowMs, 0))
  agent.did(agent.session.closed(agent.nowMs, 1))
  agent.wait(10_000)
  expect(calls(agent)).toBe(0)
})

describe('M5 edits that follow each other closely', () => {
  test('M5 the first goes at once, those behind it together', () => {
    const agent = Agent.withTwo()
    for (const key of ['a', 'b', 'c']) agent.set(key)
    expect(agent.take(0).map(keysIn)).toEqual([['a']])
    agent.wait(3)
    expect(agent.take(0)).toEqual([])
    agent.wait(1)
    expect(agent.take(0).map(keysIn)).toEqual([['b', 'c']])
  })

  test('M5 who waits for a confirmation makes them go at once', () => {
    const agent = Agent.withTwo()
    agent.set('a')
    agent.set('b')
    agent.take(0)
    agent.outbox.awaitConfirmation()
    agent.did(agent.session.hurry(agent.nowMs))
    expect(agent.types(0)).toEqual(['numbered-update', 'hurry'])
  })

  test('M5 late answers make the pause longer, timely ones shorter; it stays within 4 and 100 ms, and a quarter of the round trip', () => {
    const agent = new Agent()
    agent.open(0)
    let seq = 1
    const round = (afterMs: number) => {
      agent.set('a', seq)
      seq++
      agent.wait(afterMs)
      agent.receive(0, received(seq))
      // So that the next one need not wait.
      agent.wait(200)
    }
    for (let i = 0; i < 20; i++) round(10)
    expect(agent.session.pauseMs).toBe(4)
    for (let i = 0; i < 15; i++) round(100)
    expect(agent.session.pauseMs).toBeGreaterThan(20)
    expect(agent.session.pauseMs).toBeLessThanOrEqual(25)
    for (let i = 0; i < 8; i++) round(600)
    expect(agent.session.pauseMs).toBe(100)
    for (let i = 0; i < 40; i++) round(10)
    expect(agent.session.pauseMs).toBe(4)
  })

  test('M5 a program that writes without pause sends at most 100 messages a second for long', () => {
    const agent = Agent.withTwo()
    let seq = 2
    for (let ms = 0; ms < 10_000; ms++) {
      agent.set('a', ms)
      const before = agent.take(0).length
      agent.wait(1)
      seq += before
      agent.receive(0, received(seq))
    }
    const messages = agent.effects
      .flatMap(({ send }) => send)
      .filter(({ path, frame }) => {
        return path === 0 && decodeFrame(frame).type === 'numbered-update'
      })
    expect(messages.length).toBeLessThan(1_150)
    expect(messages.length).toBeGreaterThan(900)
  })
})

describe('M6 large messages', () => {
  const sizesOf = (messages: Message[]) =>
    messages.flatMap((message) => (message.type === 'numbered-update' ? message.update.length : []))

  test.each([
    [1_000, 1],
    [70_000, 0],
  ])(
    'M6 A9 one of %i bytes after a pause, unanswered, goes over the other path, too, %i times',
    (size, times) => {
      const agent = Agent.withTwo()
      agent.wait(11_000)
      agent.mute.add(0)
      agent.set('a', 'x'.repeat(size))
      // Beyond the time of a hedge and of the first missed answer, which makes a path suspect.
      agent.wait(300)
      expect(agent.session.active).toBe(0)
      expect(agent.session.describe(0)?.report?.state).toBe('suspect')
      expect(sizesOf(agent.take(0))).toHaveLength(1)
      expect(sizesOf(agent.take(1))).toHaveLength(times)
      // It is kept none the less: it goes over the path that becomes active.
      agent.wait(1_000)
      expect(agent.session.active).toBe(1)
      expect(sizesOf(agent.take(1))).toHaveLength(1 - times)
    },
  )

  test('M6 4 MiB are kept for another path; beyond, they are in the exchange with it', () => {
    const agent = Agent.withTwo()
    const MIB = 1 << 20
    // So much that what waits for the first is no reason to take this one.
    agent.did(agent.session.buffered(agent.nowMs, 1, 4 * MIB))
    for (const key of ['a', 'b', 'c', 'd', 'e']) agent.set(key, 'x'.repeat(MIB - 1_000))
    expect(agent.take(0).map(keysIn)).toEqual([['a'], ['b'], ['c'], ['d'], ['e']])
    expect(agent.take(1)).toEqual([])
    agent.did(agent.session.closed(agent.nowMs, 0))
    expect(agent.take(1).flatMap(keysOfUpdates)).toEqual(['a', 'b', 'c', 'd'])
    agent.receive(1, STEP_1_EMPTY)
    expect(keysIn(agent.take(1).at(-1))).toEqual(['a', 'b', 'c', 'd', 'e', 'start'])
  })
})

describe('M7 M8 what a path that stands by tells', () => {
  test('M7 what the active path does not bring is asked for over the other', () => {
    const agent = Agent.withTwo()
    agent.receive(1, encodeFrame({ type: 'news', stateVector: encodeStateVector(new Map([[7, 1]])) }))
    agent.wait(150)
    expect(agent.types(1)).toEqual([])
    agent.wait(200)
    expect(agent.types(1)).toEqual(['sync-step-1'])
    expect(agent.session.describe(0)?.report?.reliability).toBe(1)
    agent.receive(1, encodeFrame({ type: 'sync-step-2', update: updateOf('theirs', 1, 7) }))
    expect(agent.doc.getMap('state').get('theirs')).toBe(1)
    agent.wait(1_000)
    expect(agent.session.describe(0)?.report?.reliability).toBeLessThan(1)
  })

  test('M7 who tells of what it does not have is asked three times, and not believed any more', () => {
    const agent = Agent.withTwo()
    const invented = (first: number) => {
      const clocks = new Map(Array.from({ length: 5_000 }, (_, i) => [first + i, 9] as const))
      return encodeFrame({ type: 'news', stateVector: encodeStateVector(clocks) })
    }
    agent.receive(1, invented(10))
    agent.wait(10_000)
    expect(agent.types(1)).toEqual(['sync-step-1', 'sync-step-1', 'sync-step-1'])
    agent.receive(1, invented(10_000))
    agent.wait(10_000)
    expect(agent.types(1)).toEqual([])
    expect(agent.session.active).toBe(0)
  })

  test('M7 what it brings in time is not', () => {
    const agent = Agent.withTwo()
    agent.receive(1, encodeFrame({ type: 'news', stateVector: encodeStateVector(new Map([[7, 1]])) }))
    agent.receive(0, encodeFrame({ type: 'update', update: updateOf('theirs', 1, 7) }))
    agent.wait(2_000)
    expect(agent.types(1)).toEqual([])
  })

  test('M8 of a relay that holds something else at rest the active one has to answer, then everything is exchanged', () => {
    const agent = Agent.withTwo()
    agent.set('a')
    agent.receive(0, ack(3))
    agent.take(0)
    const stateVector = encodeStateVector(new Map())
    const news = encodeFrame({ type: 'news', stateVector, digest: '0123456789abcdef' })
    agent.receive(1, news)
    agent.wait(2_100)
    expect(agent.types(0)).toEqual(['standby', 'standby', 'sync-step-1'])
    expect(agent.types(1)).toEqual([])
    agent.wait(1_000)
    expect(agent.types(0)).toEqual([])
    expect(agent.types(1)).toEqual(['standby', 'sync-step-1'])
    expect(agent.session.active).toBe(0)
    agent.receive(1, STEP_1_EMPTY, STEP_2_EMPTY)
    expect(agent.types(1)).toEqual(['numbered-update', 'standby'])
    // The relay still says the same: told, and tried again after a while.
    agent.receive(1, news)
    agent.wait(3_100)
    expect(agent.session.describe(1)?.hasDiverged).toBe(false)
    agent.wait(10_000)
    expect(agent.session.describe(1)?.hasDiverged).toBe(true)
    expect(agent.types(1)).toEqual(['standby', 'sync-step-1'])
    agent.receive(1, STEP_1_EMPTY, STEP_2_EMPTY)
    agent.receive(1, encodeFrame({ type: 'news', stateVector, digest: documentDigest(agent.doc) }))
    agent.wait(2_000)
    expect(agent.session.describe(1)?.hasDiverged).toBe(false)
  })

  test('S23 a relay that confirmed what it does not hold is left', () => {
    const agent = Agent.withTwo()
    agent.set('a')
    agent.receive(0, ack(3))
    // It holds what was there at first, and not the edit.
    const first = new Y.Doc()
    first.clientID = 1
    first.getMap('state').set('start', 'start')
    agent.receive(0, step1(first))
    const { close, problems } = agent.effects.at(-1)!
    expect(close).toMatchObject([{ path: 0, code: 4410, isUnfit: false }])
    expect(problems).toMatchObject([{ path: 0, problem: { kind: 'unfaithful' } }])
    expect(agent.session.active).toBe(1)
  })

  test('S23 nothing is concluded from what was not confirmed, was refused, or went another way', () => {
    const agent = Agent.withTwo()
    const first = step1(agent.doc)
    agent.set('a')
    agent.receive(0, encodeFrame({ type: 'reject', seq: 3, code: 'forbidden', reason: 'no' }))
    agent.wait(100)
    agent.set('b')
    agent.receive(0, ack(4), first)
    expect(agent.session.active).toBe(0)
    const unconfirmed = Agent.withTwo()
    unconfirmed.set('a')
    unconfirmed.receive(0, received(3), first)
    expect(unconfirmed.session.active).toBe(0)
    // The edit before it is on its way over the other path.
    const other = Agent.withTwo()
    const claims = new RelayClaims()
    claims.answered(1, new Map([[1, 1]]))
    claims.sentUpdate(2, updateWith(other, 'skipped', 'sent'))
    claims.acknowledged(2)
    expect(claims.areKept(new Map([[1, 1]]))).toBe(true)
  })
})

function step1(doc: Y.Doc): Uint8Array {
  return encodeFrame({ type: 'sync-step-1', stateVector: Y.encodeStateVector(doc) })
}

/** The second of two edits. */
function updateWith({ doc }: Agent, skipped: string, sent: string): Uint8Array {
  doc.getMap('state').set(skipped, 1)
  const before = Y.encodeStateVector(doc)
  doc.getMap('state').set(sent, 1)
  return Y.encodeStateAsUpdate(doc, before)
}

test('M9 presence goes over the active path alone', () => {
  const agent = Agent.withTwo()
  agent.did(agent.session.presence(agent.nowMs, Uint8Array.of(0)))
  expect(agent.types(0)).toEqual(['awareness'])
  expect(agent.types(1)).toEqual([])
})

test('M10 strong requests stay on their path while it answers, and take the other when it is gone or does not', () => {
  const agent = Agent.withTwo()
  expect(agent.session.strongPath).toBe(0)
  agent.did(agent.session.strongIsSilent(agent.nowMs))
  expect(agent.session.strongPath).toBe(1)
  agent.did(agent.session.strongIsSilent(agent.nowMs))
  // Neither answers: there is no better one.
  expect(agent.session.strongPath).toBe(1)
  agent.did(agent.session.closed(agent.nowMs, 1))
  expect(agent.session.strongPath).toBe(0)
})

describe('M13 somebody waits, and the active relay confirms nothing', () => {
  const given = (agent: Agent) => agent.types(1).filter((type) => type === 'sync-step-1').length

  test('M13 a path that stands by exchanges everything, and its relay confirms it', () => {
    const agent = Agent.withTwo()
    agent.set('a')
    agent.receive(0, received(3))
    agent.outbox.awaitConfirmation()
    agent.did(agent.session.hurry(agent.nowMs))
    agent.wait(1_900)
    expect(given(agent)).toBe(0)
    agent.wait(200)
    expect(given(agent)).toBe(1)
    agent.receive(1, STEP_1_EMPTY, STEP_2_EMPTY, ack(2))
    expect(agent.outbox.unconfirmed).toBe(0)
  })

  test('M13 what nobody confirms is sent ever more rarely', () => {
    const agent = Agent.withTwo()
    agent.set('a')
    agent.receive(0, encodeFrame({ type: 'reject', seq: 3, code: 'forbidden', reason: 'no' }))
    agent.outbox.awaitConfirmation()
    agent.did(agent.session.hurry(agent.nowMs))
    let count = 0
    for (let i = 0; i < 60; i++) {
      agent.wait(2_000)
      const exchanges = given(agent)
      if (exchanges > 0) agent.receive(1, STEP_1_EMPTY, STEP_2_EMPTY)
      count += exchanges
    }
    expect(count).toBeGreaterThan(1)
    expect(count).toBeLessThan(8)
  })
})

describe('M11 who lets nobody stand by', () => {
  test.each([
    ['an old relay', HELLO],
    ['a plain server', undefined],
  ])('M11 %s is not kept beside another path', (_name, hello) => {
    const agent = new Agent()
    agent.open(0)
    agent.did(agent.session.opened(0, 1))
    if (hello !== undefined) agent.receive(1, hello)
    else agent.receive(1, STEP_1_EMPTY)
    agent.wait(MULTIPATH_LIMITS.standbyWithinMs)
    const closed = agent.effects.flatMap(({ close }) => close)
    expect(closed).toMatchObject([{ path: 1, code: 1000, isUnfit: true }])
    expect(agent.session.active).toBe(0)
  })

  test('M11 beside a plain server that is up to date no other is kept', () => {
    const agent = new Agent()
    agent.did(agent.session.opened(0, 0))
    agent.did(agent.session.opened(0, 1))
    agent.receive(1, STANDBY_HELLO)
    agent.receive(0, STEP_1_EMPTY, STEP_2_EMPTY)
    expect(agent.effects.flatMap(({ close }) => close)).toMatchObject([{ path: 1, isUnfit: true }])
    expect(agent.session.active).toBe(0)
    agent.set('a')
    expect(agent.types(0).at(-1)).toBe('update')
  })
})

test('M12 edits for a full socket are held back and merged until half of it is gone', () => {
  const agent = new Agent(false)
  agent.open(0)
  agent.take(0)
  const { bufferedBytesMax } = MULTIPATH_LIMITS
  const buffered = (bytes: number) => agent.did(agent.session.buffered(agent.nowMs, 0, bytes))
  buffered(bufferedBytesMax)
  agent.set('a')
  expect(agent.take(0).map(keysIn)).toEqual([['a']])
  buffered(bufferedBytesMax + 1)
  for (const key of ['b', 'c']) {
    agent.set(key)
    agent.wait(100)
  }
  buffered(bufferedBytesMax / 2 + 1)
  agent.wait(100)
  expect(agent.take(0)).toEqual([])
  buffered(bufferedBytesMax / 2)
  expect(agent.take(0).map(keysIn)).toEqual([['b', 'c']])
})
