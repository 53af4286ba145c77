import { decodeFrame, encodeFrame, type Message, QUORUM_FEATURE, scanUpdate } from '@skein/protocol'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { KEEP_ALIVE_MS, type PersistedUpdate, type RoomEffects } from '../src/index.js'
import { joined, ROOM_OPTIONS, randomFrom, runSeed, sentTo, TestRoom, updateOf } from './helpers.js'
import { helloWith, numbered, plain, presence } from './room-helpers.js'

const SELF = 'r1'
const RELAY = 2
const AGENT = 1
const ack = (to: number) => encodeFrame({ type: 'ack', from: 1, to, tier: 'relay' })

/** A room of relay r1 of three, with an agent and the room of r2. */
function roomWithRelay(isShared = true, options: Partial<typeof ROOM_OPTIONS> = {}) {
  const isQuorum = (ids: ReadonlySet<string>) => ids.size >= 2
  const room = new TestRoom([], {
    ...ROOM_OPTIONS,
    ...options,
    cluster: { self: SELF, isShared, isQuorum, configuration: '1' },
  })
  room.join(0, AGENT, true)
  room.receive(0, AGENT, helloWith([]))
  room.join(0, RELAY, true, 'r2')
  room.receive(0, RELAY, helloWith(['chunks']))
  return room
}

const askOf = (doc = new Y.Doc()) =>
  encodeFrame({ type: 'sync-step-1', stateVector: Y.encodeStateVector(doc) })
const received = (room: TestRoom, member: number, frame: Uint8Array) =>
  joined(room.receive(0, member, frame), room.flush(0))
const types = (effects: RoomEffects, member: number) => sentTo(effects, member).map(({ type }) => type)

describe('another relay as a member', () => {
  test('R28 is greeted, asked and answered like an agent, and gets what others write', () => {
    const room = roomWithRelay()
    expect(types(room.receive(0, RELAY, askOf()), RELAY)).toEqual(['sync-step-2', 'numbered-update'])
    const effects = received(room, AGENT, numbered(1, updateOf('a')))
    expect(types(effects, RELAY)).toEqual(['update', 'numbered-update'])
    expect(types(received(room, RELAY, plain(updateOf('b'))), AGENT)).toEqual(['update'])
    expect(received(room, RELAY, plain(updateOf('b', 1, 9))).persist).toHaveLength(1)
    // What it sends again is known, and goes no further.
    expect(received(room, RELAY, plain(updateOf('b', 1, 9))).send).toEqual([])
  })

  test('R28 R18 one that holds the same is answered by its digest, and marked', () => {
    const [one, other] = [roomWithRelay(), roomWithRelay()]
    for (const room of [one, other]) received(room, AGENT, numbered(1, updateOf('a', 1, 9)))
    const asked = other
      .join(0, 3, true, 'r3')
      .send.find(({ frame }) => decodeFrame(frame).type === 'sync-step-1')
    expect(decodeFrame(asked!.frame)).toHaveProperty('digest')
    const effects = one.receive(0, RELAY, asked!.frame)
    expect(sentTo(effects, RELAY)).toMatchObject([
      { type: 'sync-step-2', update: Uint8Array.of(0, 0) },
      { type: 'numbered-update' },
    ])
    expect(effects.answers).toEqual([])
  })

  test('R29 its disk is found out by marks behind what it was sent', () => {
    const room = roomWithRelay()
    const greeting = room.receive(0, RELAY, askOf())
    expect(room.isAt('r2')).toBe(false)
    room.receive(0, RELAY, ack(1))
    expect(room.isAt('r2')).toBe(true)
    expect(sentTo(greeting, RELAY).at(-1)).toMatchObject({ type: 'numbered-update', seq: 1 })
    const effects = received(room, AGENT, numbered(1, updateOf('a')))
    expect(sentTo(effects, RELAY).at(-1)).toMatchObject({ type: 'numbered-update', seq: 2 })
    expect(room.isAt('r2')).toBe(false)
    room.receive(0, RELAY, ack(2))
    expect(room.isAt('r2')).toBe(true)
    expect(room.isAt('r3')).toBeUndefined()
  })

  test('R29 it gets no mark before it has asked for what it lacks', () => {
    const room = roomWithRelay()
    expect(types(received(room, AGENT, numbered(1, updateOf('a'))), RELAY)).toEqual(['update'])
    expect(types(room.receive(0, RELAY, askOf()), RELAY)).toEqual(['sync-step-2', 'numbered-update'])
  })

  test('R29 no mark is sent while it is behind', () => {
    const room = roomWithRelay()
    room.receive(0, RELAY, askOf())
    room.congestion(RELAY)
    expect(types(received(room, AGENT, numbered(1, updateOf('a'))), RELAY)).toEqual([])
    expect(types(room.writable(0, RELAY), RELAY)).toEqual(['update', 'numbered-update'])
  })

  test('R29 a number that was never sent says nothing', () => {
    const room = roomWithRelay()
    room.receive(0, RELAY, askOf())
    room.receive(0, RELAY, ack(2))
    expect(room.isAt('r2')).toBe(false)
  })

  test('R29 a mark takes no room in a full space', () => {
    const update = updateOf('a', 1, 7)
    const room = roomWithRelay(true, { spaceBytesMax: update.length })
    received(room, AGENT, numbered(1, update))
    room.committed(0, 1)
    expect(types(received(room, RELAY, numbered(1, Uint8Array.of(0, 0))), RELAY)).toEqual(['ack'])
  })

  test('R29 nothing counts behind an update that was refused', () => {
    const room = roomWithRelay()
    expect(room.receive(0, RELAY, plain(Uint8Array.of(9, 9))).close).toHaveLength(1)
    expect(room.receive(0, RELAY, numbered(1, Uint8Array.of(0, 0))).send).toEqual([])
  })

  test('R30 quorum is acknowledged when two of three have it on disk, own disk included', () => {
    const room = roomWithRelay()
    room.receive(0, RELAY, askOf())
    room.receive(0, RELAY, ack(1))
    received(room, AGENT, numbered(1, updateOf('a')))
    // The other one is faster.
    expect(sentTo(room.receive(0, RELAY, ack(2)), AGENT)).toEqual([])
    expect(sentTo(room.committed(0, 1), AGENT)).toContainEqual({
      type: 'ack',
      from: 1,
      to: 1,
      tier: 'quorum',
    })
    received(room, AGENT, numbered(2, updateOf('b')))
    expect(sentTo(room.committed(0, 2), AGENT)).toEqual([{ type: 'ack', from: 2, to: 2, tier: 'relay' }])
    expect(sentTo(room.receive(0, RELAY, ack(3)), AGENT)).toEqual([
      { type: 'ack', from: 2, to: 2, tier: 'quorum' },
    ])
  })

  test('R30 what is repeated when a majority has it on disk is acknowledged at once', () => {
    const room = roomWithRelay()
    const update = updateOf('a')
    room.receive(0, RELAY, askOf())
    received(room, AGENT, numbered(1, update))
    room.committed(0, 1)
    room.receive(0, RELAY, ack(2))
    const tiers = sentTo(received(room, AGENT, numbered(2, update)), AGENT)
    expect(tiers).toMatchObject([
      { type: 'ack', tier: 'relay', to: 2 },
      { type: 'ack', tier: 'quorum', to: 2 },
    ])
  })

  test('R30 other members have to have it on disk themselves', () => {
    let members = ['r1', 'r2', 'r3']
    const cluster = {
      self: SELF,
      isShared: true,
      configuration: 'first',
      isQuorum: (ids: ReadonlySet<string>) => members.filter((id) => ids.has(id)).length >= 2,
    }
    const room = new TestRoom([], { ...ROOM_OPTIONS, cluster })
    const update = updateOf('a')
    for (const [member, relay] of [[AGENT], [RELAY, 'r2'], [3, 'r3']] as const) {
      room.join(0, member, true, relay)
      room.receive(0, member, helloWith([]))
      if (relay !== undefined) room.receive(0, member, askOf())
    }
    received(room, AGENT, numbered(1, update))
    room.committed(0, 1)
    expect(types(room.receive(0, RELAY, ack(2)), AGENT)).toEqual(['ack'])
    // The disks of r1 and r2 had it; of r1, r3 and r4 only that of r1 has.
    members = ['r1', 'r3', 'r4']
    cluster.configuration = 'second'
    room.clusterChanged(0)
    expect(sentTo(received(room, AGENT, numbered(2, update)), AGENT)).toMatchObject([{ tier: 'relay' }])
    expect(sentTo(room.receive(0, 3, ack(2)), AGENT)).toMatchObject([{ tier: 'quorum', to: 2 }])
  })

  test('R30 members who were there before it was so are told, and asked for all that they sent', () => {
    const isQuorum = () => true
    const cluster = { self: SELF, isShared: false, isQuorum, configuration: undefined as string | undefined }
    const room = new TestRoom([], { ...ROOM_OPTIONS, cluster })
    room.join(0, AGENT, true)
    room.receive(0, AGENT, helloWith([]))
    Object.assign(cluster, { isShared: true, configuration: 'first' })
    const [hello, ask] = sentTo(room.clusterChanged(0), AGENT)
    expect(hello).toMatchObject({ type: 'hello', features: expect.arrayContaining([QUORUM_FEATURE]) })
    expect(ask).toMatchObject({ type: 'sync-step-1' })
    expect(room.clusterChanged(0).send).toEqual([])
  })

  test('R30 what a relay asks for it is told of this disk alone', () => {
    const room = roomWithRelay()
    room.receive(0, RELAY, askOf())
    received(room, RELAY, numbered(1, updateOf('a')))
    expect(sentTo(room.committed(0, 1), RELAY)).toMatchObject([
      { type: 'hello' },
      { type: 'ack', from: 1, to: 1, tier: 'relay' },
    ])
  })

  test('R30 is offered only where there are other relays', () => {
    const hello = (isShared: boolean) => {
      const isQuorum = () => true
      const room = new TestRoom([], {
        ...ROOM_OPTIONS,
        cluster: { self: SELF, isShared, isQuorum, configuration: '1' },
      })
      return sentTo(room.join(0, AGENT, true), AGENT)[0]
    }
    expect(hello(true)).toMatchObject({ features: expect.arrayContaining(['quorum']) })
    expect(hello(false)).toMatchObject({ features: expect.not.arrayContaining(['quorum']) })
  })

  test('R31 a strong key that another relay took in is taken, from an agent it is not', () => {
    const room = new TestRoom([], { ...ROOM_OPTIONS, isStrong: (key) => key.startsWith('lock/') })
    room.join(0, AGENT, true)
    room.join(0, RELAY, true, 'r2')
    expect(received(room, AGENT, plain(updateOf('lock/a', 1, 5))).close).toMatchObject([{ code: 4423 }])
    const effects = received(room, RELAY, plain(updateOf('lock/a', 1, 5)))
    expect(effects.close).toEqual([])
    expect(effects.persist).toHaveLength(1)
  })

  test('R32 a hurry is passed on behind what it is about, once', () => {
    const room = roomWithRelay()
    const hurry = encodeFrame({ type: 'hurry' })
    room.receive(0, RELAY, askOf())
    room.receive(0, RELAY, ack(1))
    expect(types(room.receive(0, AGENT, hurry), RELAY)).toEqual([])
    room.receive(0, AGENT, numbered(1, updateOf('a')))
    room.receive(0, AGENT, hurry)
    expect(types(room.flush(0), RELAY)).toEqual(['update', 'numbered-update', 'hurry'])
    expect(types(room.receive(0, AGENT, hurry), RELAY)).toEqual(['hurry'])
    expect(room.receive(0, RELAY, hurry).send).toEqual([])
  })

  test('R33 is asked with a sweep, by digest, where the room has changed', () => {
    const room = roomWithRelay()
    room.receive(0, RELAY, askOf())
    received(room, AGENT, numbered(1, updateOf('a')))
    expect(sentTo(room.timeout(KEEP_ALIVE_MS), RELAY)).toContainEqual(
      expect.objectContaining({ type: 'sync-step-1', digest: expect.any(String) }),
    )
    expect(types(room.timeout(2 * KEEP_ALIVE_MS), RELAY)).not.toContain('sync-step-1')
  })

  test('R27 its clients stay for a while when the link goes', () => {
    const room = roomWithRelay()
    room.receive(0, RELAY, presence(5, 1, { name: 'a' }))
    expect(sentTo(room.leave(0, RELAY), AGENT)).toEqual([])
    expect(types(room.timeout(2_000), AGENT)).toEqual(['awareness'])
  })
})

/** Three relays with a room each, links between them, and an agent each. Everything may get lost but disks. */
class World {
  readonly names = ['r1', 'r2', 'r3']
  private readonly relays = this.names.map((name) => this.started(name, []))
  private readonly links = new Map<string, { queues: [Uint8Array[], Uint8Array[]]; ids: [number, number] }>()
  private nextId = 10
  private nextKey = 0
  private nowMs = 0
  quorums = 0

  constructor(private readonly random: () => number) {}

  step(): void {
    this.nowMs += 100
    const at = this.pick(3)
    const choice = this.random()
    if (choice < 0.25) this.write(at)
    else if (choice < 0.6) this.deliver()
    else if (choice < 0.75) this.commit(at)
    else if (choice < 0.8) this.relink()
    else if (choice < 0.83) this.cut()
    else if (choice < 0.85) this.crash(at)
    else this.run(at, (room) => room.timeout(this.nowMs))
  }

  /** Everything works again. */
  heal(): void {
    for (let i = 0; i < 20; i++) {
      for (const [a, b] of PAIRS) this.link(a, b)
      for (let k = 0; k < 2_000 && this.deliver(); k++) {}
      this.nowMs += KEEP_ALIVE_MS
      for (const at of [0, 1, 2]) {
        this.run(at, (room) => room.timeout(this.nowMs))
        this.commit(at)
      }
    }
  }

  digests(): unknown[] {
    return this.relays.map(({ room }) => room.content())
  }

  private started(name: string, disk: PersistedUpdate[]) {
    const isQuorum = (ids: ReadonlySet<string>) => ids.size >= 2
    const cluster = { self: name, isShared: true, configuration: '1', isQuorum }
    const room = new TestRoom(disk, { ...ROOM_OPTIONS, cluster }, disk.length > 0 ? 'epoch-1' : '')
    room.join(0, AGENT, true)
    room.receive(0, AGENT, helloWith([]))
    return {
      room,
      disk: [...disk],
      unflushed: [] as PersistedUpdate[],
      sent: new Map<number, [number, number]>(),
      seq: 0,
    }
  }

  private write(at: number): void {
    const relay = this.relays[at]!
    const client = 1_000 + ++this.nextKey
    relay.seq++
    relay.sent.set(relay.seq, [client, 1])
    this.run(at, (room) =>
      room.receive(this.nowMs, AGENT, numbered(relay.seq, updateOf(`k${client}`, 1, client))),
    )
    if (this.random() < 0.7) this.run(at, (room) => room.flush(this.nowMs))
  }

  private run(at: number, step: (room: TestRoom) => RoomEffects): void {
    const relay = this.relays[at]!
    let effects = step(relay.room)
    if (this.random() < 0.8) effects = joined(effects, relay.room.flush(this.nowMs))
    relay.unflushed.push(...effects.persist)
    for (const { to, frame } of effects.send) {
      if (to.includes(AGENT)) this.agentHears(at, frame)
      for (const [key, { queues, ids }] of this.links) {
        const [a, b] = key.split('-').map(Number)
        if (a === at && to.includes(ids[0])) queues[0].push(frame)
        if (b === at && to.includes(ids[1])) queues[1].push(frame)
      }
    }
    expect(effects.close).toEqual([])
  }

  private agentHears(at: number, frame: Uint8Array): void {
    const message = decodeFrame(frame)
    if (message.type !== 'ack' || message.tier !== 'quorum') return
    const { sent } = this.relays[at]!
    for (let seq = message.from; seq <= message.to; seq++) {
      const [client, clock] = sent.get(seq)!
      const disks = this.relays.filter(({ disk }) => disk.some(({ update }) => holds(update, client, clock)))
      expect(disks.length, `edit ${client} is on ${disks.length} disks`).toBeGreaterThanOrEqual(2)
      this.quorums++
    }
  }

  private commit(at: number): void {
    const relay = this.relays[at]!
    const last = relay.unflushed.at(-1)
    if (last === undefined) return
    relay.disk.push(...relay.unflushed)
    relay.unflushed.length = 0
    this.run(at, (room) => room.committed(this.nowMs, last.position))
  }

  private crash(at: number): void {
    for (const key of [...this.links.keys()]) if (key.split('-').map(Number).includes(at)) this.unlink(key)
    this.relays[at] = this.started(this.names[at]!, this.relays[at]!.disk)
  }

  private relink(): void {
    const [a, b] = PAIRS[this.pick(3)]!
    this.link(a, b)
  }

  private link(a: number, b: number): void {
    const key = `${a}-${b}`
    if (this.links.has(key)) return
    const ids: [number, number] = [this.nextId++, this.nextId++]
    this.links.set(key, { queues: [[], []], ids })
    this.run(a, (room) => room.join(this.nowMs, ids[0], true, this.names[b]))
    this.run(b, (room) => room.join(this.nowMs, ids[1], true, this.names[a]))
  }

  private cut(): void {
    const key = [...this.links.keys()][this.pick(3)]
    if (key !== undefined) this.unlink(key)
  }

  private unlink(key: string): void {
    const { ids } = this.links.get(key)!
    const [a, b] = key.split('-').map(Number) as [number, number]
    this.links.delete(key)
    this.run(a, (room) => room.leave(this.nowMs, ids[0]))
    this.run(b, (room) => room.leave(this.nowMs, ids[1]))
  }

  /** One frame of one link. */
  private deliver(): boolean {
    const waiting = [...this.links].flatMap(([key, link]) =>
      ([0, 1] as const).filter((way) => link.queues[way].length > 0).map((way) => ({ key, link, way })),
    )
    const chosen = waiting[this.pick(waiting.length)]
    if (chosen === undefined) return false
    const frame = chosen.link.queues[chosen.way].shift()!
    const to = Number(chosen.key.split('-')[1 - chosen.way])
    const id = chosen.link.ids[1 - chosen.way]!
    this.run(to, (room) => room.receive(this.nowMs, id, frame))
    return true
  }

  private pick(count: number): number {
    return Math.floor(this.random() * count)
  }
}

const PAIRS = [
  [0, 1],
  [0, 2],
  [1, 2],
] as const

function holds(update: Uint8Array, client: number, clock: number): boolean {
  let found = false
  scanUpdate(update, {
    structs: (from, start, length) => {
      found ||= from === client && start < clock && start + length >= clock
    },
    deletion() {},
  })
  return found
}

test('R28 R29 R30 under loss, cuts and crashes quorum means two disks, and in the end all hold the same', () => {
  const seed = runSeed('room-relay')
  let quorums = 0
  for (let world = 0; world < 60; world++) {
    const relays = new World(randomFrom(seed + world))
    for (let i = 0; i < 400; i++) relays.step()
    relays.heal()
    const [first, ...others] = relays.digests()
    for (const other of others) expect(other, `seed ${seed + world}`).toEqual(first)
    quorums += relays.quorums
  }
  expect(quorums).toBeGreaterThan(500)
})

describe('R35 presence when a relay is lost', () => {
  const THIRD = 3
  const STATE = { name: 'a' }
  const gone = (client: number, clock: number) => presence(client, clock, null)

  function roomWithTwoRelays() {
    const room = roomWithRelay()
    room.join(0, THIRD, true, 'r3')
    room.receive(0, THIRD, helloWith(['chunks']))
    return room
  }

  test('R35 the others are asked who is there, and whoever one of them names stays', () => {
    const room = roomWithTwoRelays()
    // It is at r3; r2 told of it first, because r1 has just come.
    room.receive(0, RELAY, presence(7, 1, STATE))
    room.receive(0, RELAY, presence(8, 1, STATE))
    room.receive(0, THIRD, presence(7, 1, STATE))
    const effects = room.leave(1_000, RELAY)
    expect(types(effects, THIRD)).toEqual(['query-awareness'])
    expect(types(effects, AGENT)).toEqual([])
    room.receive(1_010, THIRD, presence(7, 1, STATE))
    const told = sentTo(room.timeout(3_000), AGENT)
    expect(told).toHaveLength(1)
    expect(encodeFrame(told[0] as Message)).toEqual(gone(8, 1))
  })

  test('R35 who asks hears of those who are connected here, not of others', () => {
    const room = roomWithTwoRelays()
    room.receive(0, AGENT, presence(5, 1, STATE))
    room.receive(0, RELAY, presence(7, 1, STATE))
    const [answer] = sentTo(room.receive(0, THIRD, encodeFrame({ type: 'query-awareness' })), THIRD)
    expect(encodeFrame(answer as Message)).toEqual(presence(5, 1, STATE))
  })

  test('R35 the end of a client that is connected here is contradicted, unless it is a later one', () => {
    const room = roomWithTwoRelays()
    room.receive(0, AGENT, presence(5, 1, STATE))
    const effects = room.receive(0, RELAY, gone(5, 1))
    expect(effects.send).toHaveLength(1)
    expect(encodeFrame(sentTo(effects, RELAY)[0] as Message)).toEqual(presence(5, 1, STATE))
    // It has moved on, and left there.
    room.receive(0, RELAY, presence(5, 2, STATE))
    expect(types(room.receive(0, RELAY, gone(5, 2)), AGENT)).toEqual(['awareness'])
  })
})
