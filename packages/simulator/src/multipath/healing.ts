import * as Y from 'yjs'
import { Violation } from '../checks/violation.js'
import type { Agent } from './agent.js'
import type { MultipathWorld } from './world.js'

/**
 * Everything has come right by then: a connection is known to be dead (30 s at most), another attempt is due (10 s)
 * and succeeds (10 s), relays have told their digests (10 s), and these were compared twice.
 */
const HEAL_MS = 60_000
/** Where large content takes seconds to carry, and several paths carry it. */
const HEAL_NARROW_MS = 300_000
const LOOK_EVERY_MS = 250
/** An edit that is made when nothing is wrong is everywhere within this time. */
const FRESH_EDIT_MS = 2_000
/** Then relays tell their digests once more, and a change-over or an exchange that follows is over after this. */
const REST_MS = 12_000
const CHANGE_OVER_MS = 10_000

/** The second part of a seed. */
export class Healing {
  constructor(
    private readonly world: MultipathWorld,
    private readonly runUntil: (untilMs: number) => void,
  ) {}

  require(): void {
    const { world } = this
    this.until(this.healMs, () => this.whatIsMissing())
    this.editAfresh(1)
    this.runUntil(world.events.nowMs + REST_MS)
    this.until(world.swarm.isNarrow ? HEAL_NARROW_MS : CHANGE_OVER_MS, () => this.whatIsMissing())
    // All have told what they hold. The first edit after a while goes over two paths, those behind it over one.
    for (let value = 2; value < 6; value++) this.editAfresh(value)
    world.checks.ended()
  }

  /** What one writes comes to all. */
  private editAfresh(value: number): void {
    const { world } = this
    const { agents, random, swarm } = world
    const author = random.pick(agents)
    author.edit((state) => void state.set('fresh', value))
    // Lines that are still full, timers that are late, and a relay that lies may delay it.
    const mayBeSlow = swarm.isNarrow || swarm.timersLateMs > 100 || world.liar?.lies !== undefined
    this.until(mayBeSlow ? this.healMs : FRESH_EDIT_MS, () => {
      const late = agents.find(({ state }) => state.get('fresh') !== value)
      return late === undefined ? undefined : ['fresh edit', `${late.name} has not got it of ${author.name}`]
    })
  }

  private get healMs(): number {
    return this.world.swarm.isNarrow ? HEAL_NARROW_MS : HEAL_MS
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
    const { agents, mesh, links } = this.world
    if (!links.every(({ isUp }) => isUp)) return ['mesh', 'two relays are not linked']
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
      // It is probed again in a while; another one stands by meanwhile.
      if (path.session.isStandby && path.report?.state === 'silent') return `${link.name}: silent`
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
