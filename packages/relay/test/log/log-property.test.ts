import fc from 'fast-check'
import { expect, test } from 'vitest'
import { collect, type Log, type LoggedUpdate } from '../../src/log/log.js'
import { memoryLog } from '../../src/log/memory-log.js'
import { runSeed, temporaryDirectory } from '../helpers.js'
import { openLmdb } from './open-lmdb.js'

const ROOMS = ['a', 'ab', '\u20ac', 'room/1']

const room = fc.constantFrom(...ROOMS)
const bytes = fc.oneof(
  { arbitrary: fc.uint8Array({ maxLength: 40 }), weight: 9 },
  // Above a quarter of a page LMDB gives a value pages of its own.
  {
    arbitrary: fc.integer({ min: 1500, max: 9000 }).map((length) => new Uint8Array(length).fill(7)),
    weight: 1,
  },
)
const operation = fc.oneof(
  fc.record({
    kind: fc.constant('append' as const),
    room,
    gap: fc.nat(3),
    updates: fc.array(bytes, { maxLength: 4 }),
  }),
  // How far before or behind the last position.
  fc.record({
    kind: fc.constant('replace' as const),
    room,
    from: fc.integer({ min: -8, max: 2 }),
    snapshot: bytes,
  }),
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never
/** Operations of one tick, and whether the log is opened anew after them. */
const round = fc.record({ operations: fc.array(operation, { maxLength: 12 }), reopen: fc.boolean() })

/** What the contract says, in a few lines: rooms are lists. */
class Model {
  readonly rooms = new Map<string, LoggedUpdate[]>(ROOMS.map((name) => [name, []]))

  /** Applies an operation and returns the same as a call of the log. */
  apply(step: Operation): (log: Log) => Promise<void> {
    const list = this.rooms.get(step.room)!
    const last = list.at(-1)?.position ?? -1
    if (step.kind === 'append') {
      const updates = step.updates.map((update, index) => ({ position: last + 1 + step.gap + index, update }))
      list.push(...updates)
      return (log) => log.append(step.room, updates)
    }
    const upTo = Math.max(0, last + step.from)
    const later = list.filter(({ position }) => position > upTo)
    this.rooms.set(step.room, [{ position: upTo, update: step.snapshot }, ...later])
    return (log) => log.replace(step.room, 0, upTo, step.snapshot)
  }
}

/** Comparing byte by byte takes minutes. */
function asText({ position, update }: LoggedUpdate): string {
  return `${position}: ${Buffer.from(update).toString('base64')}`
}

async function check(
  rounds: readonly { operations: readonly Operation[]; reopen: boolean }[],
  open: () => Promise<Log>,
) {
  const model = new Model()
  let log = await open()
  for (const { operations, reopen } of rounds) {
    await Promise.all(operations.map((step) => model.apply(step)(log)))
    if (reopen) {
      await log.close()
      log = await open()
    }
    for (const [name, updates] of model.rooms)
      expect((await collect(log.load(name))).map(asText)).toEqual(updates.map(asText))
  }
  await log.close()
}

test('lmdb log: any operations, in any grouping, with reopening, give what the model has', async () => {
  const seed = runSeed('packages/relay/test/log/log-property.test.ts')
  const rounds = fc.array(round, { maxLength: 8 })
  const property = fc.asyncProperty(rounds, async (steps) => {
    const path = await temporaryDirectory()
    await check(steps, () => openLmdb(path))
  })
  await fc.assert(property, { seed, numRuns: 60 })
}, 60_000)

test('memory log: any operations, in any grouping, give what the model has', async () => {
  const seed = runSeed('packages/relay/test/log/log-property.test.ts')
  const rounds = fc.array(
    fc.record({ operations: fc.array(operation, { maxLength: 12 }), reopen: fc.constant(false) }),
  )
  await fc.assert(
    fc.asyncProperty(rounds, (steps) => check(steps, async () => memoryLog())),
    { seed, numRuns: 100 },
  )
})
