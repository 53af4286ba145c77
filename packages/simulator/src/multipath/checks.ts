import { CLOSE } from '@skein/protocol'
import type { SessionProblem } from '@skein/sync'
import * as Y from 'yjs'
import { Violation } from '../checks/violation.js'
import type { Agent } from './agent.js'
import { frameHead } from './frames.js'
import type { Link } from './link.js'
import type { Relay } from './relay.js'
import type { Path } from './socket.js'
import type { MultipathWorld } from './world.js'

/** In a calm world an edit is everywhere within this time, in milliseconds. */
const PROMPT_MS = 3_000
/** The session keeps so many bytes to send them again, and so many messages. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024
/** So long a session waits for anything after a ping. */
const SILENT_MS = 4_900
const IN_FLIGHT_MAX = 4_096
const HELD_MAX = 1_001

/** What is inside of a session over several paths, where limits are to be looked at. */
interface Inside {
  readonly inFlight: { readonly messages: ReadonlyMap<number, unknown>; readonly bytes: number }
  readonly pace: { readonly held: readonly Uint8Array[] }
}

/** What must be so whatever happens. */
export class MultipathChecks {
  /** The last edit of each agent that was looked for on disks. */
  private readonly confirmed = new Map<Agent, { relay: number; quorum: number }>()
  /** A liar has acknowledged what they sent, and not taken it: what they believe to be confirmed need not be. */
  private readonly liedTo = new Set<number>()
  /** By reader and author: the next edit to come. */
  private readonly delivered = new Map<string, number>()

  constructor(private readonly world: MultipathWorld) {}

  sends(agent: Agent, link: Link, frame: Uint8Array): void {
    const head = frameHead(frame)
    if (head.type === 'numbered-update') this.numbered(agent, link, head.seq)
    if (head.type !== 'chunk') return
    if (head.inner !== undefined) {
      link.chunkedSeq = head.inner.type === 'numbered-update' ? head.inner.seq : undefined
    }
    if (head.isLast && link.chunkedSeq !== undefined) this.numbered(agent, link, link.chunkedSeq)
  }

  private numbered(agent: Agent, link: Link, seq: number): void {
    if (seq !== link.lastSeq + 1) {
      throw new Violation('numbers', `${agent.name} sent ${link.name} ${seq} after ${link.lastSeq}`)
    }
    link.lastSeq = seq
  }

  /** After each step of an agent. */
  settled(agent: Agent): void {
    this.checkDisks(agent)
    this.checkParts(agent)
    this.checkBounds(agent)
  }

  /** A session has found something wrong. */
  problem(agent: Agent, { name, path }: Link, problem: SessionProblem): void {
    const { world } = this
    world.log?.(`${agent.name} has a problem with ${name}: ${problem.kind}`)
    if (problem.kind === 'unfaithful' && world.liar === path.server) return
    if (problem.kind === 'wrong-epoch' && world.stranger === path.server) return
    throw new Violation('accused', `${agent.name} says of ${name}: ${JSON.stringify(problem)}`)
  }

  /** A link is not used any more, for another reason than those. */
  refused(agent: Agent, path: Path, code: number): void {
    throw new Violation('accused', `${agent.name} does not use ${path.server.name} any more: ${code}`)
  }

  closedByRoom({ name }: Relay, code: number, reason: string): void {
    if (code === CLOSE.wrongEpoch && this.world.stranger?.name === name) return
    throw new Violation('accused', `${name} closes a connection: ${code} ${reason}`)
  }

  /** A connection counts as dead. */
  gaveUp(agent: Agent, { name, path, openedMs, heardMs }: Link, reason: string): void {
    const { swarm, events, servers } = this.world
    const wasUp = servers.some(
      (server) => server === path.server && server.isUp && server.startedMs < openedMs,
    )
    // A burst may be longer than a session waits, and so may a timer's delay, or sleep.
    const isSteady = swarm.timersLateMs === 0 && swarm.everyMs.sleep === Number.POSITIVE_INFINITY
    // Beyond 30 s a ping is not waited for, whatever else is heard.
    if (events.nowMs - heardMs < SILENT_MS) return
    if (!wasUp || !isSteady || path.faultyUntilMs > openedMs) return
    throw new Violation(
      'gave up',
      `${agent.name} gave ${name} up without a reason at ${events.nowMs}: ${reason}`,
    )
  }

  dropped(author: number): void {
    this.liedTo.add(author)
  }

  applied(reader: Agent): void {
    if (!this.world.swarm.isCalm) return
    for (const author of this.world.agents) if (author !== reader) this.noteDelivered(reader, author)
  }

  /** In a calm world nobody is seen to go. */
  vanished(reader: Agent, client: number): void {
    this.world.log?.(`${reader.name} sees agent ${client} vanish`)
    if (this.world.swarm.isCalm && !this.world.isHealing) {
      throw new Violation('presence', `${reader.name} sees agent ${client} vanish, which always had a path`)
    }
  }

  /** In a calm world, when it is over. */
  ended(): void {
    if (!this.world.swarm.isCalm) return
    for (const reader of this.world.agents) this.applied(reader)
  }

  private noteDelivered(reader: Agent, author: Agent): void {
    const key = `${reader.index} ${author.index}`
    let next = this.delivered.get(key) ?? 1
    const clock = Y.getState(reader.doc.store, author.client)
    const { nowMs } = this.world.events
    for (; next < author.edits.length && author.edits[next]!.upTo <= clock; next++) {
      const tookMs = nowMs - author.edits[next]!.atMs
      // Deletions have no clock to be seen by.
      if (author.edits[next]!.upTo === author.edits[next - 1]!.upTo || tookMs <= PROMPT_MS) continue
      throw new Violation(
        'prompt',
        `edit ${next} of ${author.name} took ${tookMs.toFixed(0)} ms to ${reader.name}`,
      )
    }
    this.delivered.set(key, next)
  }

  private checkDisks(agent: Agent): void {
    const { outbox } = agent
    const seen = this.confirmed.get(agent) ?? { relay: 0, quorum: 0 }
    this.confirmed.set(agent, seen)
    const isLiedTo = this.liedTo.has(agent.index)
    for (const tier of ['relay', 'quorum'] as const) {
      for (; seen[tier] < outbox.last && outbox.isConfirmed(seen[tier] + 1, tier); seen[tier]++) {
        if (isLiedTo) continue
        const missing = this.world.mesh.flatMap((relay) => this.missingOn(relay, agent, seen[tier] + 1) ?? [])
        if (missing.length <= (tier === 'relay' ? 2 : 1)) continue
        throw new Violation(
          `confirmed: ${tier}`,
          `edit ${seen[tier] + 1} of ${agent.name} is told to be confirmed; on disk ${missing.join(', ')}`,
        )
      }
    }
  }

  /** What the disk of a relay lacks of an edit. */
  private missingOn({ name, durable }: Relay, { client, edits }: Agent, number: number): string | undefined {
    const { from, upTo, deleted } = edits[number]!
    const hasStructs = upTo === from || durable.structs.has(client, from, upTo - from)
    if (!hasStructs) return `${name} lacks ${client}@${from}+${upTo - from}`
    const lost = deleted.find((range) => !durable.deleted.has(...range))
    return lost === undefined ? undefined : `${name} lacks the deletion of ${lost[0]}@${lost[1]}+${lost[2]}`
  }

  /** Once the active path is up to date all others stand by, and not before one is. */
  private checkParts({ name, driver }: Agent): void {
    const { session, links } = driver!
    const { active } = session
    const live = links.filter((_link, id) => session.describe(id)?.session.live)
    const isActiveLive = active !== undefined && live.includes(links[active]!)
    for (const [id, link] of links.entries()) {
      const takesPart = session.describe(id)?.session.isStandby === false
      if (isActiveLive && id !== active && live.includes(link)) {
        throw new Violation('one takes part', `${name} takes part at ${links[active]!.name} and ${link.name}`)
      }
      if (link.takesPart && !takesPart && link.state === 'open' && live.length === 0) {
        throw new Violation('stands down', `${name} stands down at ${link.name} before another is up to date`)
      }
      link.takesPart = takesPart
    }
  }

  private checkBounds({ name, driver }: Agent): void {
    const { inFlight, pace } = driver!.session as unknown as Inside
    if (inFlight.bytes > KEPT_BYTES_MAX)
      throw new Violation('bounds', `${name} keeps ${inFlight.bytes} bytes`)
    if (inFlight.messages.size > IN_FLIGHT_MAX || pace.held.length > HELD_MAX) {
      throw new Violation(
        'bounds',
        `${name} keeps ${inFlight.messages.size} and ${pace.held.length} messages`,
      )
    }
  }
}
