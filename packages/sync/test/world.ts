import { scanUpdate } from '@skein/protocol'
import * as Y from 'yjs'
import {
  answerFrames,
  documentReplica,
  Outbox,
  type PersistedUpdate,
  Room,
  type RoomEffects,
  RoomIndex,
  Session,
  type SessionEffects,
} from '../src/index.js'
import { ROOM_OPTIONS } from './helpers.js'

interface Agent {
  readonly doc: Y.Doc
  readonly outbox: Outbox
  readonly skein: boolean
  /** What each edit, by its number, promised: how far this client's clock was, and what it deleted. */
  readonly promises: { readonly clock: number; readonly deleted: readonly [number, number, number][] }[]
  session: Session | undefined
  member: number
  epoch: string
}

/** A step that somebody may take next. */
type Wire = { readonly run: () => void }

/**
 * Agents, one relay and the wires between them, on a virtual clock. Messages of one direction of one
 * connection keep their order, as TCP does; everything else happens in an order the seed decides. The
 * disk flushes when the seed says so, and a killed relay keeps what was flushed.
 */
export class World {
  readonly agents: Agent[] = []
  readonly log: string[] = []
  nowMs = 0
  private room: Room | undefined
  private disk: PersistedUpdate[] = []
  private unflushed: PersistedUpdate[] = []
  private diskEpoch = ''
  private unflushedEpoch = ''
  private epochs = 0
  /** Answers that the relay is computing. */
  private answers: (() => void)[] = []
  private nextMember = 1
  private readonly wires = new Map<string, Wire[]>()

  constructor(
    private readonly random: () => number,
    agentCount: number,
  ) {
    for (let i = 0; i < agentCount; i++) {
      const doc = new Y.Doc()
      doc.clientID = i + 1
      const agent: Agent = {
        doc,
        outbox: new Outbox(),
        skein: this.random() < 0.8,
        promises: [{ clock: 0, deleted: [] }],
        session: undefined,
        member: 0,
        epoch: '',
      }
      doc.on('update', (update: Uint8Array, origin: unknown) => {
        if (origin === 'relay') return
        const edit = agent.outbox.add()
        const deleted: [number, number, number][] = []
        scanUpdate(update, { structs() {}, deletion: (...range) => deleted.push(range) })
        agent.promises[edit] = { clock: Y.getState(doc.store, doc.clientID), deleted }
        if (agent.session !== undefined) this.agentDid(agent, agent.session.edit(update))
      })
      this.agents.push(agent)
    }
  }

  /** One random step. */
  step(): void {
    this.nowMs += Math.floor(this.random() * 50)
    const agent = this.pick(this.agents)
    const dice = this.random()
    if (dice < 0.3) this.edit(agent)
    else if (dice < 0.36) this.cut(agent)
    else if (dice < 0.44) this.connect(agent)
    else if (dice < 0.46) this.killRelay()
    else if (dice < 0.48) this.congest(agent)
    else if (dice < 0.5) this.congestMember(agent)
    else if (dice < 0.58) this.flush()
    else if (dice < 0.68) this.forward()
    else if (dice < 0.75) this.answer()
    else this.deliver()
  }

  /** Connects everybody, flushes and delivers until nothing is left to do. */
  settle(): void {
    for (const agent of this.agents) this.connect(agent)
    for (let idle = 0; idle < 2; ) {
      for (const agent of this.agents) {
        if (agent.session?.congested) this.agentDid(agent, agent.session.relieved())
        if (this.room !== undefined) this.roomDid(this.room.writable(this.nowMs, agent.member))
      }
      this.forward()
      this.flush()
      idle = this.answer() || this.deliver() ? 0 : idle + 1
    }
  }

  /** What the disk would give a relay that starts now. */
  durableDoc(): Y.Doc {
    const doc = new Y.Doc()
    for (const { update } of this.disk) Y.applyUpdate(doc, update)
    return doc
  }

  get logEntries(): number {
    return this.disk.length + this.unflushed.length
  }

  private edit(agent: Agent): void {
    const key = `k${Math.floor(this.random() * 4)}`
    const map = agent.doc.getMap('state')
    const value = Math.floor(this.random() * 1_000)
    this.note(`agent ${agent.doc.clientID} ${key}=${value}`)
    if (this.random() < 0.2 && map.has(key)) map.delete(key)
    else map.set(key, value)
  }

  private connect(agent: Agent): void {
    if (agent.session !== undefined) return
    this.room ??= this.startRelay()
    agent.member = this.nextMember++
    agent.session = new Session(
      'agent',
      documentReplica(agent.doc, () => agent.epoch),
      agent.outbox,
      this.nowMs,
    )
    this.note(`agent ${agent.doc.clientID} connects as ${agent.member}`)
    this.agentDid(agent, agent.session.opened())
    this.roomDid(this.room.join(this.nowMs, agent.member, agent.skein))
  }

  private startRelay(): Room {
    const index = new RoomIndex()
    for (const entry of this.disk) index.add(entry)
    this.epochs++
    return new Room({ ...ROOM_OPTIONS, newEpoch: `epoch-${this.epochs}` }, index, this.diskEpoch)
  }

  /** The connection breaks; what is on the wire is lost. */
  private cut(agent: Agent): void {
    if (agent.session === undefined) return
    this.note(`cut ${agent.member}`)
    agent.session = undefined
    this.wires.delete(`up ${agent.member}`)
    this.wires.delete(`down ${agent.member}`)
    if (this.room !== undefined) this.roomDid(this.room.leave(this.nowMs, agent.member))
  }

  private killRelay(): void {
    this.note('kill relay')
    this.room = undefined
    this.unflushed = []
    this.unflushedEpoch = ''
    this.answers = []
    for (const agent of this.agents) this.cut(agent)
  }

  private congest(agent: Agent): void {
    if (agent.session === undefined) return
    if (agent.session.congested) this.agentDid(agent, agent.session.relieved())
    else agent.session.congestion()
  }

  /** The relay has read all that it could, and forwards it. */
  private forward(): void {
    if (this.room !== undefined) this.roomDid(this.room.flush(this.nowMs))
  }

  /** One of the answers that the relay computes is ready. */
  private answer(): boolean {
    const [ready] = this.answers.splice(Math.floor(this.random() * this.answers.length), 1)
    ready?.()
    return ready !== undefined
  }

  /** The relay's side of a connection is congested, or has drained. */
  private congestMember(agent: Agent): void {
    if (this.room === undefined || agent.session === undefined) return
    if (this.random() < 0.5) this.room.congestion(agent.member)
    else this.roomDid(this.room.writable(this.nowMs, agent.member))
  }

  private flush(): void {
    if (this.room === undefined || this.unflushed.length === 0) return
    this.disk.push(...this.unflushed)
    this.unflushed = []
    if (this.unflushedEpoch !== '') this.diskEpoch = this.unflushedEpoch
    this.note(`flushed ${this.disk.length}`)
    this.roomDid(this.room.committed(this.nowMs, this.disk[this.disk.length - 1]!.position))
  }

  /** Delivers the first message of a random wire; false if all are empty. */
  private deliver(): boolean {
    const busy = [...this.wires.values()].filter((wire) => wire.length > 0)
    if (busy.length === 0) return false
    this.pick(busy).shift()!.run()
    return true
  }

  private agentDid(agent: Agent, effects: SessionEffects): void {
    if (effects.epoch !== undefined) agent.epoch = effects.epoch
    for (const update of effects.apply) Y.applyUpdate(agent.doc, update, 'relay')
    if (effects.apply.length > 0 && agent.session !== undefined) {
      this.agentDid(agent, agent.session.applied(this.nowMs))
    }
    for (const frame of effects.send) {
      const { member } = agent
      this.wire(`up ${member}`, () => {
        if (this.room !== undefined) this.roomDid(this.room.receive(this.nowMs, member, frame))
      })
    }
    if (effects.close !== undefined || effects.problem !== undefined) {
      throw new Error(`an honest session failed: ${JSON.stringify(effects.close ?? effects.problem)}`)
    }
  }

  private roomDid(effects: RoomEffects): void {
    for (const entry of effects.persist) {
      scanUpdate(entry.update)
      this.unflushed.push(entry)
    }
    if (effects.epoch !== undefined) this.unflushedEpoch = effects.epoch
    for (const request of effects.answers) {
      // The content as it is at the request, or later, whenever the seed lets it be ready.
      const pieces = [...this.disk, ...this.unflushed].map(({ update }) => update)
      this.answers.push(() => {
        if (this.room === undefined) return
        this.roomDid(this.room.answered(this.nowMs, request.member, answerFrames(pieces, request)))
      })
    }
    for (const { to, frame } of effects.send) {
      for (const member of to) {
        this.wire(`down ${member}`, () => {
          const agent = this.agents.find((a) => a.member === member)
          if (agent?.session !== undefined) this.agentDid(agent, agent.session.receive(this.nowMs, frame))
        })
      }
    }
    if (effects.close.length > 0)
      throw new Error(`the room closed an honest member: ${effects.close[0]!.reason}`)
  }

  private wire(name: string, run: () => void): void {
    const wire = this.wires.get(name)
    if (wire === undefined) this.wires.set(name, [{ run }])
    else wire.push({ run })
  }

  private pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!
  }

  private note(line: string): void {
    this.log.push(`${this.nowMs} ${line}`)
  }
}
