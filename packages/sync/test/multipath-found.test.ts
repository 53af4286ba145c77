import { decodeFrame, encodeFrame, type Message, QUORUM_FEATURE, STANDBY_FEATURE } from '@skein/protocol'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  documentDigest,
  documentReplica,
  type MultipathEffects,
  MultipathSession,
  Outbox,
} from '../src/index.js'
import { relayHello, STEP_1_EMPTY, STEP_2_EMPTY } from './helpers.js'

// What the simulator has found, each as short as it can be told. The seeds are those of its worlds.

const RELAY_HELLO = relayHello({ features: [STANDBY_FEATURE, QUORUM_FEATURE] })
const received = (to: number) => encodeFrame({ type: 'received', to })
const ack = (to: number, tier: 'relay' | 'quorum' = 'relay') =>
  encodeFrame({ type: 'ack', from: 1, to, tier })

class Agent {
  readonly doc = new Y.Doc()
  readonly outbox = new Outbox()
  readonly session = new MultipathSession('agent', documentReplica(this.doc), this.outbox, {
    hasOtherPaths: true,
  })
  nowMs = 0
  announcements = 0
  readonly closed: { readonly path: number; readonly isUnfit: boolean }[] = []
  private readonly sent: { readonly path: number; readonly message: Message }[] = []

  constructor() {
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'relay') return
      this.outbox.add()
      this.did(this.session.edit(this.nowMs, update))
    })
  }

  did(effects: MultipathEffects): void {
    for (const { path, frame } of effects.send) {
      this.sent.push({ path, message: decodeFrame(frame) as Message })
    }
    for (const { path, frame } of effects.send) {
      const message = decodeFrame(frame)
      if (message.type !== 'ping') continue
      this.receive(path, encodeFrame({ type: 'pong', pingSentAtUs: message.sentAtUs }))
    }
    if (effects.announce) this.announcements++
    for (const { path, isUnfit } of effects.close) this.closed.push({ path, isUnfit })
    for (const update of effects.apply) Y.applyUpdate(this.doc, update, 'relay')
  }

  open(path: number): void {
    this.did(this.session.opened(this.nowMs, path))
  }

  receive(path: number, ...frames: Uint8Array[]): void {
    for (const frame of frames) this.did(this.session.receive(this.nowMs, path, frame))
  }

  close(path: number): void {
    this.did(this.session.closed(this.nowMs, path))
  }

  /** Lets time pass. */
  wait(forMs: number): void {
    const endMs = this.nowMs + forMs
    while (this.session.deadlineMs <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.session.deadlineMs)
      this.did(this.session.timeout(this.nowMs, 0.5))
    }
    this.nowMs = endMs
  }

  set(key: string): void {
    this.doc.getMap('state').set(key, key)
  }

  /** What was sent over a path since the last time, but for pings. */
  take(path: number): string[] {
    const mine = this.sent.filter((sent) => sent.path === path)
    this.sent.splice(0, this.sent.length, ...this.sent.filter((sent) => sent.path !== path))
    return mine.map(({ message }) => message.type).filter((type) => type !== 'ping')
  }
}

// Seed 56: it was sent with the next exchange only, and not confirmed before.
test('M3 S5 an edit between the answer to the first step 1 and the step 2 is sent', () => {
  const agent = new Agent()
  agent.open(0)
  agent.receive(0, RELAY_HELLO, STEP_1_EMPTY)
  agent.take(0)
  agent.set('between')
  expect(agent.take(0)).toEqual(['numbered-update'])
  agent.receive(0, STEP_2_EMPTY, ack(2))
  expect(agent.outbox.unconfirmed).toBe(0)
})

// Before the answer it is part of that.
test('M3 S5 an edit before the first step 1 is in the answer to it, and nowhere else', () => {
  const agent = new Agent()
  agent.open(0)
  agent.receive(0, RELAY_HELLO)
  agent.take(0)
  agent.set('before')
  expect(agent.take(0)).toEqual([])
  agent.receive(0, STEP_1_EMPTY, STEP_2_EMPTY)
  expect(agent.take(0)).toEqual(['numbered-update'])
})

/** Two paths, and an edit that went over both of them. */
function withTwo(): Agent {
  const agent = new Agent()
  agent.open(0)
  agent.receive(0, RELAY_HELLO, STEP_1_EMPTY, STEP_2_EMPTY, ack(1), ack(1, 'quorum'))
  agent.open(1)
  agent.receive(1, RELAY_HELLO)
  agent.set('a')
  agent.receive(0, received(2))
  agent.take(0)
  agent.take(1)
  return agent
}

// Seed 21: their confirmation by a majority was never told, and might have been lost with the relay.
test('M4 edits that a path received and did not confirm before it closed are exchanged with the active one', () => {
  const agent = withTwo()
  agent.close(1)
  expect(agent.take(0)).toEqual(['standby', 'standby', 'sync-step-1'])
  agent.receive(0, STEP_1_EMPTY, ack(3), ack(3, 'quorum'))
  expect(agent.outbox.isConfirmed(agent.outbox.last, 'quorum')).toBe(true)
})

test('M4 a path that closes with nothing open costs no exchange', () => {
  const agent = withTwo()
  agent.receive(1, ack(1), ack(1, 'quorum'))
  agent.close(1)
  expect(agent.take(0)).toEqual([])
})

// Seeds 10720, 10760: it passed for one of two open paths for 120 s, and none stood by.
test('M3 a first path that was given up stands by', () => {
  const agent = new Agent()
  agent.open(0)
  agent.receive(0, RELAY_HELLO)
  agent.open(1)
  agent.receive(1, RELAY_HELLO)
  agent.nowMs = 1_000
  agent.did(agent.session.timeout(agent.nowMs, 0))
  expect(agent.session.active).toBe(1)
  agent.take(0)
  agent.receive(1, STEP_1_EMPTY, STEP_2_EMPTY)
  expect(agent.take(0)).toEqual(['standby'])
  expect(agent.session.describe(0)!.session.isStandby).toBe(true)
})

// Seed 9151: a relay whose connection had broken at once passed for a plain server, and was not tried again.
test.each([
  ['says nothing', [], false],
  ['says something else than hello', [STEP_1_EMPTY], true],
])('M3 M11 one that %s is closed', (_what, frames, isUnfit) => {
  const agent = new Agent()
  agent.open(0)
  agent.receive(0, ...frames)
  agent.nowMs = 9_500
  agent.open(1)
  agent.receive(1, RELAY_HELLO, STEP_1_EMPTY, STEP_2_EMPTY)
  expect(agent.session.active).toBe(1)
  expect(agent.session.deadlineMs).toBeLessThanOrEqual(10_000)
  expect(agent.closed).toEqual([])
  agent.nowMs = 10_000
  agent.did(agent.session.timeout(agent.nowMs, 0))
  expect(agent.closed).toEqual([{ path: 0, isUnfit }])
})

// Seed 118037: the last edit was thrown away, and no relay changed any more, so that none told anything.
test('M8 an edit that never comes to a relay that held the same before is noticed', () => {
  const agent = withTwo()
  agent.receive(0, ack(2), ack(2, 'quorum'))
  agent.receive(1, ack(1), ack(1, 'quorum'))
  const tell = () => {
    const digest = documentDigest(agent.doc)
    agent.receive(1, encodeFrame({ type: 'news', stateVector: Uint8Array.of(0), digest }))
  }
  tell()
  agent.wait(2_000)
  agent.set('b')
  agent.receive(0, ack(3), ack(3, 'quorum'))
  agent.receive(1, ack(2), ack(2, 'quorum'))
  agent.wait(20_000)
  expect([agent.take(0), agent.take(1)]).toEqual([['numbered-update'], []])
  agent.wait(40_000)
  expect(agent.take(0)).toEqual(['standby', 'standby', 'sync-step-1'])
  agent.wait(2_000)
  expect(agent.take(1)).toEqual(['standby', 'sync-step-1'])
})

test('M8 an edit of which the other relay tells in time is no reason to ask', () => {
  const agent = withTwo()
  agent.receive(0, ack(2), ack(2, 'quorum'))
  agent.receive(1, ack(1), ack(1, 'quorum'))
  for (const [i, key] of ['b', 'c', 'd', 'e'].entries()) {
    const digest = documentDigest(agent.doc)
    agent.receive(1, encodeFrame({ type: 'news', stateVector: Uint8Array.of(0), digest }))
    agent.wait(2_000)
    agent.set(key)
    agent.receive(0, ack(3 + i), ack(3 + i, 'quorum'))
    agent.wait(18_000)
    expect(agent.outbox.unconfirmed).toBe(0)
  }
  const sent = [...agent.take(0), ...agent.take(1)]
  expect(sent.filter((type) => type !== 'numbered-update')).toEqual([])
})

// Seed 77 of calm worlds with readers: others saw the agent vanish with the path that it had been announced over last.
test('M9 presence is announced again over a path that takes over before it has stood down', () => {
  const agent = withTwo()
  const switchTo = (path: number) => {
    for (let i = 0; i < 100 && agent.session.active !== path; i++) {
      agent.nowMs = agent.session.deadlineMs
      const effects = agent.session.timeout(agent.nowMs, 0.5)
      agent.did({ ...effects, send: effects.send.filter((sent) => sent.path === path) })
    }
  }
  agent.receive(1, ack(1), ack(1, 'quorum'))
  switchTo(1)
  expect(agent.session.active).toBe(1)
  expect(agent.session.describe(0)!.session.isStandby).toBe(false)
  const before = agent.announcements
  agent.close(1)
  expect(agent.session.active).toBe(0)
  expect(agent.announcements).toBe(before + 1)
})

// Seed 113 of worlds with a relay that throws updates away: of three agents each missed what another one had.
test('M8 an agent that misses something exchanges, too, and says nothing against the relay', () => {
  const agent = withTwo()
  agent.receive(0, ack(2), ack(2, 'quorum'))
  agent.receive(1, ack(1), ack(1, 'quorum'))
  const other = new Y.Doc()
  const updates: Uint8Array[] = []
  other.on('update', (update: Uint8Array) => updates.push(update))
  for (const key of ['x', 'y']) other.getMap('state').set(key, key)
  agent.receive(0, encodeFrame({ type: 'update', update: updates[1]! }))
  agent.take(0)
  const incomplete = { type: 'news', stateVector: Uint8Array.of(0), digest: '0'.repeat(16) } as const
  for (let i = 0; i < 4; i++) {
    agent.receive(1, encodeFrame(incomplete))
    agent.wait(10_000)
  }
  expect(agent.take(0)).toContain('standby')
  expect(agent.take(1)).toContain('sync-step-1')
  expect(agent.session.describe(1)?.hasDiverged).toBe(false)
})
