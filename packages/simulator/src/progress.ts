import { Violation } from './checks/violation.js'
import type { Ending } from './client.js'
import { Client } from './client.js'
import type { Node } from './node.js'
import type { Worker } from './workload.js'
import type { World } from './world.js'

const HEALED_MS_MAX = 120_000

/**
 * The second part of a seed. Everything works again, and so everything has to come to its end: changes of
 * members, operations, reads and writes through each member; all members say the same.
 */
export class Progress {
  constructor(
    private readonly world: World,
    private readonly workers: readonly Worker[],
  ) {}

  require(): void {
    const { world } = this
    this.heal()
    this.until('operations', () => world.operationsOpen === 0)
    this.until('membership', () => this.isMembershipSettled(), 3_000)
    for (const node of this.members()) this.perform(node, true)
    // What a minority has accepted may still be decided by who meets it first; a write puts an end to that.
    for (const key of world.keys.slice(1)) this.perform(this.members()[0]!, true, key)
    const answers = this.members().flatMap((node) => world.keys.map((key) => this.perform(node, false, key)))
    const byKey = new Map<string, string>()
    for (const { key, ending } of answers) {
      const text = JSON.stringify(ending)
      const other = byKey.get(key)
      if (other !== undefined && other !== text)
        throw new Violation('agreement', `${key}: ${other} and ${text}`)
      byKey.set(key, text)
    }
    if (world.swarm.hasWatches) this.until('watches', () => this.areWatchersUpToDate())
  }

  private heal(): void {
    const { world } = this
    world.log?.('everything works again')
    world.network.healAll()
    world.calls.isPerfect = true
    for (const node of world.nodes.values()) {
      node.disk.isFull = false
      node.wakeUp()
      node.start()
    }
    const up = world.upNodes()
    for (const { id } of up) for (const other of up) if (other.id !== id) other.connected(id)
    world.operator.finish()
  }

  private isMembershipSettled(): boolean {
    const { nodes, configuration, operator } = this.world
    if (configuration.next !== undefined || !operator.isInstalled) return false
    return configuration.members.every(({ id }) => nodes.get(id)!.isUp && !nodes.get(id)!.isChanging)
  }

  private members(): Node[] {
    return this.world.configuration.members.map(({ id }) => this.world.nodes.get(id)!)
  }

  private perform(node: Node, isWrite: boolean, key = this.world.keys[0]!): { key: string; ending: Ending } {
    const { world } = this
    const client = new Client(world, `${node.id}-${isWrite ? 'writes' : 'reads'}-${key}`)
    // A client of this member alone.
    client.only = node
    let isEnded = false
    let ending: Ending
    const wish = isWrite
      ? ({ kind: 'write', data: `after ${node.id}`, condition: undefined, keepsFence: false } as const)
      : ({ kind: 'read' } as const)
    let tries = 0
    const attempt = () =>
      client.perform(key, wish, 50, (value) => {
        // Where registers remember little a client may be told that too much was forgotten.
        if ((value === undefined || value.kind === 'not applied') && ++tries < 20) {
          attempt()
          return
        }
        isEnded = true
        ending = value
      })
    attempt()
    this.until(`${isWrite ? 'write' : 'read'} through ${node.id}`, () => isEnded)
    const expected = isWrite ? 'done' : 'value'
    if (ending?.kind !== expected)
      throw new Violation('progress', `${key} through ${node.id}: ${JSON.stringify(ending)}`)
    this.workers[0]?.client.history.set(key, [
      ...(this.workers[0].client.history.get(key) ?? []),
      ...(client.history.get(key) ?? []),
    ])
    return { key, ending }
  }

  private areWatchersUpToDate(): boolean {
    const { checks, keys } = this.world
    return this.members().every(({ id, life }) =>
      keys.every((key) => {
        const { version } = checks.key(key).versions.newest
        return (checks.watches.last(`${id}/${life}`, key) ?? -1) === version
      }),
    )
  }

  private until(what: string, isReached: () => boolean, repairEveryMs = Number.POSITIVE_INFINITY): void {
    const { events, operator } = this.world
    const endMs = events.nowMs + HEALED_MS_MAX
    let repairMs = events.nowMs + repairEveryMs
    while (!isReached()) {
      if (events.nowMs >= endMs) throw new Violation('progress', `${what}: not within ${HEALED_MS_MAX} ms`)
      if (events.nowMs >= repairMs) {
        operator.finish()
        repairMs = events.nowMs + repairEveryMs
      }
      events.step(Math.min(endMs, repairMs))
    }
  }
}
