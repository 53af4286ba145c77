import type { PathSwitch } from '@skein/sync'
import * as Y from 'yjs'
import { Events } from '../events.js'
import { Line } from '../paths/line.js'
import { Random } from '../random.js'
import { Agent } from './agent.js'
import { MultipathChecks } from './checks.js'
import { describeFrame } from './frames.js'
import type { Link } from './link.js'
import { MeshLink } from './mesh-link.js'
import { Relay, type RelayOptions } from './relay.js'
import { Path } from './socket.js'
import { chooseMultipathSwarm, type MultipathSwarm } from './swarm.js'
import type { SyncModule } from './sync-module.js'

export interface MultipathWorldOptions {
  readonly seed: number
  readonly sync: SyncModule
  readonly log?: (line: string) => void
  /** Makes of what the seed has chosen a world that is more about something. */
  readonly focus?: (swarm: MultipathSwarm) => MultipathSwarm
}

const EPOCH = 'epoch'
const OTHER_EPOCH = 'other epoch'

/** Agents, three relays that are linked with each other, and what else may be in a list of relays. */
export class MultipathWorld {
  readonly events = new Events()
  readonly seed: number
  readonly random: Random
  readonly sync: SyncModule
  readonly swarm: MultipathSwarm
  readonly checks: MultipathChecks
  readonly log: ((line: string) => void) | undefined
  readonly mesh: readonly Relay[]
  readonly links: readonly MeshLink[]
  readonly agents: readonly Agent[]
  /** All ways from agents to servers. */
  readonly paths: readonly Path[]
  /** One of the mesh that does not do what it says. */
  readonly liar: Relay | undefined
  /** A relay whose space has another history. */
  readonly stranger: Relay | undefined
  readonly plain: Relay | undefined
  /** The faults are over. */
  isHealing = false
  edits = 0
  /** Between agents and servers, both ways. */
  messages = 0
  private lastMember = 0

  constructor({ seed, sync, log, focus }: MultipathWorldOptions) {
    this.seed = seed
    this.random = new Random(seed)
    this.sync = sync
    this.log = log === undefined ? undefined : (line) => log(`${this.events.nowMs.toFixed(1)} ${line}`)
    const chosen = chooseMultipathSwarm(this.random)
    this.swarm = focus?.(chosen) ?? chosen
    const { swarm, random } = this
    Object.assign(sync.MULTIPATH_LIMITS, { bufferedBytesMax: swarm.bufferedBytesMax })
    this.checks = new MultipathChecks(this)
    this.mesh = ['r1', 'r2', 'r3'].map((name) => this.newRelay(name, { isInMesh: true }))
    if (swarm.hasStranger) {
      this.stranger = this.newRelay('stranger', { epoch: OTHER_EPOCH })
      this.stranger.preload(foreignUpdate(), OTHER_EPOCH)
    }
    if (swarm.hasPlain) this.plain = this.newRelay('plain', { isPlain: true })
    if (swarm.lies !== undefined) {
      this.liar = random.pick(this.mesh)
      this.liar.lies = swarm.lies
    }
    for (const relay of this.servers) relay.start()
    this.links = [
      [0, 1],
      [0, 2],
      [1, 2],
    ].map(([a, b]) => this.newLink(this.mesh[a!]!, this.mesh[b!]!))
    for (const link of this.links) link.dial()
    this.agents = Array.from({ length: swarm.agents }, (_, index) => new Agent(this, index))
    const paths: Path[] = []
    for (const agent of this.agents) {
      agent.timersLateMs = swarm.timersLateMs
      // One that has none would take that of whichever relay comes first.
      if (swarm.hasStranger) agent.epoch = EPOCH
      const own = this.list().map((relay) => {
        const [up, down] = swarm.lines()
        return new Path(this.events, agent.index, this.newLine(up), this.newLine(down), relay)
      })
      paths.push(...own)
      agent.connect(own)
    }
    this.paths = paths
  }

  get servers(): readonly Relay[] {
    const { mesh, stranger, plain } = this
    return [...mesh, ...(stranger === undefined ? [] : [stranger]), ...(plain === undefined ? [] : [plain])]
  }

  nextMember(): number {
    this.lastMember++
    return this.lastMember
  }

  kill(relay: Relay, isSilent: boolean): void {
    relay.kill(isSilent)
    for (const link of this.links) if (link.ends.includes(relay)) link.relayEnded()
  }

  edited(agent: Agent, number: number, update: Uint8Array): void {
    this.edits++
    this.log?.(`${agent.name} makes edit ${number} of ${update.length} bytes`)
  }

  sends(agent: Agent, link: Link, frame: Uint8Array): void {
    this.messages++
    this.log?.(`${agent.name} > ${link.name}: ${describeFrame(frame)}`)
    this.checks.sends(agent, link, frame)
  }

  heard(agent: Agent, link: Link, frame: Uint8Array): void {
    this.messages++
    this.log?.(`${agent.name} < ${link.name}: ${describeFrame(frame)}`)
  }

  switched(agent: Agent, { from, to, reason }: PathSwitch): void {
    const name = (id: number | undefined) => (id === undefined ? 'none' : agent.driver!.links[id]!.name)
    this.log?.(`${agent.name} changes from ${name(from)} to ${name(to)}: ${reason}`)
  }

  private newRelay(name: string, options: Partial<RelayOptions>): Relay {
    const { diskMs, answerMs } = this.swarm
    return new Relay(this, name, {
      isInMesh: false,
      isPlain: false,
      epoch: EPOCH,
      diskMs,
      answerMs,
      ...options,
    })
  }

  private newLink(a: Relay, b: Relay): MeshLink {
    const { swarm } = this
    const line = swarm.linkLine()
    const link = new MeshLink(this, [a, b], [this.newLine(line), this.newLine(line)])
    link.duplication = swarm.duplication
    return link
  }

  private newLine(options: ConstructorParameters<typeof Line>[2]): Line {
    return new Line(this.events, this.random, options)
  }

  /** The relays that an agent knows, in its order. */
  private list(): Relay[] {
    const { random, swarm, mesh, stranger, plain } = this
    const rest = [...mesh]
    const list: Relay[] = []
    while (list.length < swarm.relaysPerAgent) {
      list.push(...rest.splice(random.below(rest.length), 1))
    }
    for (const other of [stranger, plain]) {
      if (other !== undefined) list.splice(random.below(list.length + 1), 0, other)
    }
    return list
  }
}

function foreignUpdate(): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = 99
  doc.getMap('state').set('foreign', true)
  return Y.encodeStateAsUpdate(doc)
}
