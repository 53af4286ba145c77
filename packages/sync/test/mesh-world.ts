import { scanUpdate } from '@skein/protocol'
import * as Y from 'yjs'
import {
  answerFrames,
  documentReplica,
  KEEP_ALIVE_MS,
  Outbox,
  type PersistedUpdate,
  RangeSet,
  Room,
  type RoomEffects,
  RoomIndex,
  Session,
  type SessionEffects,
} from '../src/index.js'
import { ROOM_OPTIONS } from './helpers.js'

/** What an agent did up to one of its edits: how far its clock was, and what that edit deleted. */
interface Edit {
  readonly clock: number
  readonly deleted: readonly [number, number, number][]
}

class Agent {
  readonly doc = new Y.Doc()
  readonly outbox = new Outbox()
  readonly edits: Edit[] = [{ clock: 0, deleted: [] }]
  session: Session | undefined
  relay = 0
  member = 0
  epoch = ''
  /** The last edit of which the agent believes that a majority has it. */
  quorumEdit = 0

  constructor(readonly client: number) {
    this.doc.clientID = client
  }
}

class Relay {
  room: Room | undefined
  disk: PersistedUpdate[] = []
  unflushed: PersistedUpdate[] = []
  diskEpoch = ''
  unflushedEpoch = ''
  answers: (() => void)[] = []
  /** Where the frames for a member go. */
  readonly members = new Map<number, (frame: Uint8Array) => void>()

  constructor(readonly id: string) {}

  /** What a relay that starts now would have. */
  durable(): { doc: Y.Doc; deleted: RangeSet } {
    const doc = new Y.Doc()
    for (const { update } of this.disk) Y.applyUpdate(doc, update)
    const deleted = new RangeSet()
    for (const [client, items] of Y.createDeleteSetFromStructStore(doc.store).clients) {
      for (const { clock, len } of items) deleted.add(client, clock, len)
    }
    return { doc, deleted }
  }
}

interface Link {
  readonly ends: readonly [number, number]
  members: readonly [number, number] | undefined
}

/**
 * Three relays, each linked with each, and agents at any of them, on a virtual clock. Messages of one direction of one
 * connection keep their order; all else happens in an order that the seed decides. Links and connections are cut with
 * what is on them, relays are killed and keep what was flushed.
 */
export class MeshWorld {
  readonly relays = ['r1', 'r2', 'r3'].map((id) => new Relay(id))
  readonly agents: Agent[]
  readonly log: string[] = []
  /** How often an agent heard that a majority has more of its edits. */
  confirmations = 0
  private readonly links: Link[] = [
    { ends: [0, 1], members: undefined },
    { ends: [0, 2], members: undefined },
    { ends: [1, 2], members: undefined },
  ]
  private nowMs = 0
  private nextMember = 1
  private readonly wires = new Map<string, (() => void)[]>()

  constructor(
    private readonly random: () => number,
    agentCount: number,
  ) {
    this.agents = Array.from({ length: agentCount }, (_, i) => new Agent(i + 1))
    for (const agent of this.agents) {
      agent.doc.on('update', (update: Uint8Array, origin: unknown) => {
        if (origin === 'relay') return
        const edit = agent.outbox.add()
        const deleted: [number, number, number][] = []
        scanUpdate(update, { structs() {}, deletion: (...range) => deleted.push(range) })
        agent.edits[edit] = { clock: Y.getState(agent.doc.store, agent.client), deleted }
        if (agent.session !== undefined) this.agentDid(agent, agent.session.edit(update))
      })
    }
  }

  step(): void {
    this.nowMs += Math.floor(this.random() * 50)
    const agent = this.pick(this.agents)
    const relay = this.pick(this.relays)
    const link = this.pick(this.links)
    const dice = this.random()
    if (dice < 0.06) this.edit(agent)
    else if (dice < 0.07) this.cutAgent(agent)
    else if (dice < 0.11) this.connect(agent)
    else if (dice < 0.118) this.cutLink(link)
    else if (dice < 0.17) this.link(link)
    else if (dice < 0.178) this.kill(relay)
    else if (dice < 0.2) this.congest(relay)
    else if (dice < 0.26) this.flushDisk(relay)
    else if (dice < 0.36) this.did(relay, relay.room?.flush(this.nowMs))
    else if (dice < 0.44) this.answer(relay)
    else if (dice < 0.442) this.sweep()
    else this.deliver()
  }

  /** Mends everything and goes on until nothing is left to do. */
  settle(): void {
    for (const link of this.links) this.link(link)
    for (const agent of this.agents) this.connect(agent)
    for (let idle = 0; idle < 2; ) {
      let busy = false
      for (const relay of this.relays) {
        for (const member of relay.members.keys()) {
          this.did(relay, relay.room?.writable(this.nowMs, member))
        }
        this.did(relay, relay.room?.flush(this.nowMs))
        this.flushDisk(relay)
        busy = this.answer(relay) || busy
      }
      idle = this.deliver() || busy ? 0 : idle + 1
    }
  }

  /** The time has come at which rooms compare what they have. */
  sweep(): void {
    this.nowMs += KEEP_ALIVE_MS
    for (const relay of this.relays) this.did(relay, relay.room?.timeout(this.nowMs))
  }

  get logEntries(): number {
    return this.relays.reduce((sum, { disk, unflushed }) => sum + disk.length + unflushed.length, 0)
  }

  /** How many disks hold an agent's edits up to this one. */
  disksWith(agent: Agent, edit: number): number {
    const done = agent.edits.slice(0, edit + 1)
    return this.relays.filter((relay) => {
      const { doc, deleted } = relay.durable()
      const hasAll = Y.getState(doc.store, agent.client) >= done.at(-1)!.clock
      return hasAll && done.every((one) => one.deleted.every((range) => deleted.has(...range)))
    }).length
  }

  private edit({ client, doc }: Agent): void {
    const key = `k${Math.floor(this.random() * 4)}`
    const map = doc.getMap('state')
    const value = Math.floor(this.random() * 1_000)
    this.note(`agent ${client} ${key}=${value}`)
    if (this.random() < 0.2 && map.has(key)) map.delete(key)
    else map.set(key, value)
  }

  private connect(agent: Agent): void {
    if (agent.session !== undefined) return
    const relay = this.pick(this.relays)
    const room = this.start(relay)
    agent.relay = this.relays.indexOf(relay)
    const member = this.nextMember++
    agent.member = member
    agent.session = new Session(
      `agent-${agent.client}`,
      documentReplica(agent.doc, () => agent.epoch),
      agent.outbox,
      this.nowMs,
    )
    this.note(`agent ${agent.client} connects to ${relay.id} as ${member}`)
    relay.members.set(member, (frame) => {
      if (agent.member === member && agent.session !== undefined) {
        this.agentDid(agent, agent.session.receive(this.nowMs, frame))
      }
    })
    this.agentDid(agent, agent.session.opened())
    this.did(relay, room.join(this.nowMs, member, true))
  }

  private link(link: Link): void {
    if (link.members !== undefined) return
    const [a, b] = link.ends.map((end) => this.relays[end]!) as [Relay, Relay]
    const rooms = [this.start(a), this.start(b)] as const
    const members = [this.nextMember++, this.nextMember++] as const
    link.members = members
    this.note(`${a.id} and ${b.id} are linked as ${members.join(' and ')}`)
    a.members.set(members[0], (frame) => this.did(b, b.room?.receive(this.nowMs, members[1], frame)))
    b.members.set(members[1], (frame) => this.did(a, a.room?.receive(this.nowMs, members[0], frame)))
    this.did(a, rooms[0].join(this.nowMs, members[0], true, b.id))
    this.did(b, rooms[1].join(this.nowMs, members[1], true, a.id))
  }

  private start(relay: Relay): Room {
    if (relay.room !== undefined) return relay.room
    const index = new RoomIndex()
    for (const entry of relay.disk) index.add(entry)
    const cluster = {
      self: relay.id,
      isShared: true,
      configuration: '1',
      isQuorum: (ids: ReadonlySet<string>) => ids.size >= 2,
    }
    relay.room = new Room({ ...ROOM_OPTIONS, relayId: relay.id, cluster }, index, relay.diskEpoch)
    return relay.room
  }

  private cutAgent(agent: Agent): void {
    if (agent.session === undefined) return
    this.note(`cut ${agent.member}`)
    agent.session = undefined
    this.leave(this.relays[agent.relay]!, agent.member)
    this.wires.delete(`up ${agent.member}`)
  }

  private cutLink(link: Link): void {
    if (link.members === undefined) return
    this.note(`cut the link ${link.members.join(' ')}`)
    const { members } = link
    link.members = undefined
    for (const [i, end] of link.ends.entries()) this.leave(this.relays[end]!, members[i]!)
  }

  private leave(relay: Relay, member: number): void {
    relay.members.delete(member)
    this.wires.delete(`down ${member}`)
    this.did(relay, relay.room?.leave(this.nowMs, member))
  }

  private kill(relay: Relay): void {
    this.note(`kill ${relay.id}`)
    const index = this.relays.indexOf(relay)
    relay.room = undefined
    relay.unflushed = []
    relay.unflushedEpoch = ''
    relay.answers = []
    for (const agent of this.agents) if (agent.relay === index) this.cutAgent(agent)
    for (const link of this.links) if (link.ends.includes(index)) this.cutLink(link)
    relay.members.clear()
  }

  private congest(relay: Relay): void {
    const members = [...relay.members.keys()]
    if (members.length === 0) return
    const member = this.pick(members)
    if (this.random() < 0.5) relay.room?.congestion(member)
    else this.did(relay, relay.room?.writable(this.nowMs, member))
  }

  private flushDisk(relay: Relay): void {
    if (relay.room === undefined || relay.unflushed.length === 0) return
    relay.disk.push(...relay.unflushed)
    relay.unflushed = []
    if (relay.unflushedEpoch !== '') relay.diskEpoch = relay.unflushedEpoch
    this.note(`${relay.id} flushed ${relay.disk.length}`)
    this.did(relay, relay.room.committed(this.nowMs, relay.disk.at(-1)!.position))
  }

  private answer(relay: Relay): boolean {
    const [ready] = relay.answers.splice(Math.floor(this.random() * relay.answers.length), 1)
    ready?.()
    return ready !== undefined
  }

  private deliver(): boolean {
    const busy = [...this.wires.values()].filter((wire) => wire.length > 0)
    if (busy.length === 0) return false
    this.pick(busy).shift()!()
    return true
  }

  private agentDid(agent: Agent, effects: SessionEffects): void {
    if (effects.epoch !== undefined) agent.epoch = effects.epoch
    for (const update of effects.apply) Y.applyUpdate(agent.doc, update, 'relay')
    if (effects.apply.length > 0 && agent.session !== undefined) {
      this.agentDid(agent, agent.session.applied(this.nowMs))
    }
    const { member } = agent
    const relay = this.relays[agent.relay]!
    for (const frame of effects.send) {
      this.wire(`up ${member}`, () => this.did(relay, relay.room?.receive(this.nowMs, member, frame)))
    }
    if (effects.close !== undefined || effects.problem !== undefined) {
      throw new Error(`an honest session failed: ${JSON.stringify(effects.close ?? effects.problem)}`)
    }
    this.checkQuorum(agent)
  }

  /** What an agent believes to be on a majority of disks is there, at the moment in which it hears so. */
  private checkQuorum(agent: Agent): void {
    let edit = agent.quorumEdit
    while (edit < agent.outbox.last && agent.outbox.isConfirmed(edit + 1, 'quorum')) edit++
    if (edit === agent.quorumEdit) return
    agent.quorumEdit = edit
    const count = this.disksWith(agent, edit)
    this.confirmations++
    if (count < 2) throw new Error(`edit ${edit} of agent ${agent.client} is on ${count} disks`)
  }

  private did(relay: Relay, effects: RoomEffects | undefined): void {
    if (effects === undefined) return
    relay.unflushed.push(...effects.persist)
    if (effects.epoch !== undefined) relay.unflushedEpoch = effects.epoch
    const { room } = relay
    for (const request of effects.answers) {
      const pieces = [...relay.disk, ...relay.unflushed].map(({ update }) => update)
      relay.answers.push(() => {
        if (relay.room !== room) return
        this.did(relay, room?.answered(this.nowMs, request.member, answerFrames(pieces, request)))
      })
    }
    for (const { to, frame } of effects.send) {
      for (const member of to) {
        const receive = relay.members.get(member)
        if (receive !== undefined) this.wire(`down ${member}`, () => receive(frame))
      }
    }
    if (effects.close.length > 0) throw new Error(`${relay.id} closed: ${effects.close[0]!.reason}`)
  }

  private wire(name: string, run: () => void): void {
    const wire = this.wires.get(name)
    if (wire === undefined) this.wires.set(name, [run])
    else wire.push(run)
  }

  private pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!
  }

  private note(line: string): void {
    this.log.push(`${this.nowMs} ${line}`)
  }
}
