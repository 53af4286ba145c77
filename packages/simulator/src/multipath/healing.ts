import * as Y from 'yjs'
import { Violation } from '../checks/violation.js'
import type { Agent } from './agent.js'
import type { MultipathWorld } from './world.js'

/**
 * Everything has come right by then: a connection is known to be dead (30 s at most), another attempt is due (10 s)
 * and succeeds (10 s), relays have told their digests (10 s), and these were compared twice.
 */
const HEAL_MS = 60_000
const LOOK_EVERY_MS = 250
/** An edit that is made when nothing is wrong is everywhere within this time. */
const FRESH_EDIT_MS = 2_000
/** Then nothing more happens. */
const REST_MS = 12_000

/** The second part of a seed. */
export class Healing {
  constructor(
    private readonly world: MultipathWorld,
    private readonly runUntil: (untilMs: number) => void,
  ) {}

  require(): void {
    const { world } = this
    this.until(HEAL_MS, () => this.whatIsMissing())
    const author = world.random.pick(world.agents)
    author.edit((state) => void state.set('fresh', world.seed))
    this.until(world.swarm.isNarrow ? HEAL_MS : FRESH_EDIT_MS, () => {
      const late = world.agents.find(({ state }) => state.get('fresh') !== world.seed)
      return late === undefined ? undefined : ['fresh edit', `${late.name} has not got it of ${author.name}`]
    })
    this.runUntil(world.events.nowMs + REST_MS)
    const missing = this.whatIsMissing()
    if (missing !== undefined) throw new Violation(`at rest: ${missing[0]}`, missing[1])
    world.checks.ended()
  }

  private until(withinMs: number, missing: () => readonly [string, string] | undefined): void {
    const { events } = this.world
    const endMs = events.nowMs + withinMs
    for (let what = missing(); what !== undefined; what = missing()) {
      if (events.nowMs >= endMs) throw new Violation(what[0], `${what[1]}, after ${withinMs} ms`)
      this.runUntil(Math.min(endMs, events.nowMs + LOOK_EVERY_MS))
    }
  }

  private whatIsMissing(): readonly [string, string] | undefined {
    const { agents, mesh } = this.world
    for (const agent of agents) {
      const parts = this.parts(agent)
      if (parts !== undefined) return ['paths', `${agent.name}: ${parts}`]
      const { outbox, name } = agent
      if (outbox.unconfirmed > 0) return ['unconfirmed', `${name}: ${outbox.unconfirmed} edits`]
      if (!outbox.isConfirmed(outbox.last, 'quorum')) return ['unconfirmed', `${name}: quorum`]
      const unseen = agents.find((other) => other !== agent && !agent.presence.sees(other.client))
      if (unseen !== undefined) return ['presence', `${name} does not see ${unseen.name}`]
    }
    return (
      this.difference() ?? (mesh.every(({ isSettled }) => isSettled) ? undefined : ['disks', 'not settled'])
    )
  }

  /** Exactly one path takes part, and one stands by. */
  private parts({ driver }: Agent): string | undefined {
    const { session, links } = driver!
    const states = links.map((link, id) => {
      const path = session.describe(id)
      if (path === undefined) return `${link.name}: ${link.state}`
      const role = path.session.isStandby ? 'stands by' : 'takes part'
      return `${link.name}: ${role}${path.session.ready ? '' : ', not ready'}`
    })
    const count = (role: string) => states.filter((state) => state.endsWith(role)).length
    const usable = links.filter(({ path, state }) => {
      const { server } = path
      return state !== 'refused' && server !== this.world.stranger && server !== this.world.plain
    })
    const warm = Math.min(2, usable.length)
    const isRight = count('takes part') === 1 && count('stands by') === warm - 1
    return isRight ? undefined : states.join('; ')
  }

  private difference(): readonly [string, string] | undefined {
    const { agents, mesh, sync } = this.world
    const [first, ...others] = agents
    const vector = Y.encodeStateVector(first!.doc).join(' ')
    for (const other of others) {
      const theirs = Y.encodeStateVector(other.doc).join(' ')
      // State vectors list clients in the order in which they were heard of.
      if (theirs.length !== vector.length)
        return ['diverged', `${first!.name}: [${vector}], ${other.name}: [${theirs}]`]
    }
    const digest = sync.documentDigest(first!.doc)
    const content = contentOf(first!)
    for (const other of others) {
      if (sync.documentDigest(other.doc) !== digest) return ['diverged', `${first!.name} and ${other.name}`]
      if (contentOf(other) !== content) {
        throw new Violation('content', `${content} and ${contentOf(other)} have the same digest`)
      }
    }
    const relay = mesh.find((other) => !other.holds(digest))
    return relay === undefined ? undefined : ['diverged', `${first!.name} and ${relay.name}`]
  }
}

function contentOf({ state }: Agent): string {
  const entries = [...state.entries()].map(([key, value]) =>
    value instanceof Uint8Array ? `${key}: ${value.length} bytes` : `${key}: ${value}`,
  )
  return entries.sort().join(', ')
}
