import type { Json, Space } from '@skein/agent'
import { type EntityId, latchPrefix } from './keys.js'

/**
 * The safe direction: gas off, alarm on, door shut. It must work without any relay, so it is a counter in
 * the shared document, one per agent and entity, that only its agent raises. Pulling the latch adds one;
 * nothing ever takes one away, so no merge can lose a pull.
 *
 * Lifting it is the unsafe direction, and therefore part of the strong value: `cleared` says up to which
 * count of each agent whoever decided had seen it. A pull that they had not seen stays in force.
 */
export interface Latch {
  /** The writer's own, e.g. the client id of its document. */
  readonly agent: string
  readonly count: number
  readonly by: string
  /** When it was last pulled, in milliseconds of the writer's `Date.now()`. */
  readonly at: number
}

/** For each agent the count up to which its pulls are lifted. */
export type Cleared = Readonly<Record<string, number>>

type Entries = readonly (readonly [key: string, value: Json])[]

/** Pulls the latch; applied here at once, connected or not. */
export function pullLatch(
  space: Pick<Space, 'get' | 'set'>,
  entity: EntityId,
  agent: string,
  by: string,
  now: number,
): void {
  const key = `${latchPrefix(entity)}${agent}`
  const before = readLatch(key, space.get(key))
  space.set(key, { count: (before?.count ?? 0) + 1, by, at: now })
}

/** The latches of an entity that hold it now, the latest first, given its entries under `latch/`. */
export function latchesInForce(entries: Entries, cleared: Cleared): Latch[] {
  return latchesIn(entries)
    .filter((latch) => latch.count > (cleared[latch.agent] ?? 0))
    .sort((a, b) => b.at - a.at)
}

/** What to write as `cleared` in order to lift all latches among these entries, and no others. */
export function clearedBy(entries: Entries): Cleared {
  return Object.fromEntries(latchesIn(entries).map(({ agent, count }) => [agent, count]))
}

export function readCleared(value: Json | undefined): Cleared {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  return Object.fromEntries(
    Object.entries(value).filter((it): it is [string, number] => typeof it[1] === 'number'),
  )
}

function latchesIn(entries: Entries): Latch[] {
  return entries.map(([key, value]) => readLatch(key, value)).filter((it) => it !== undefined)
}

/** Whatever is written there holds the device: a latch that cannot be read must not be one that is off. */
function readLatch(key: string, value: Json | undefined): Latch | undefined {
  if (value === undefined) return undefined
  const fields = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  const { count, by, at } = fields as { readonly [key: string]: Json }
  return {
    agent: key.slice(key.lastIndexOf('/') + 1),
    count: typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 1,
    by: typeof by === 'string' ? by : 'somebody',
    at: typeof at === 'number' ? at : 0,
  }
}
