import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { RangeSet } from '../src/index.js'
import { randomFrom, runSeed } from './helpers.js'
import { World } from './world.js'

const RUNS = Number(process.env.SKEIN_RUNS ?? 150)
const STEPS = 250

/** Every confirmed edit is on the relay's disk; the promise that must hold at any moment. */
function checkConfirmed(world: World): void {
  const durable = world.durableDoc()
  const deletions = new RangeSet()
  for (const [client, items] of Y.createDeleteSetFromStructStore(durable.store).clients) {
    for (const { clock, len } of items) deletions.add(client, clock, len)
  }
  for (const { doc, outbox, promises } of world.agents) {
    const kept = promises.slice(0, outbox.confirmed + 1)
    const clock = Y.getState(durable.store, doc.clientID)
    expect(clock, 'a confirmed edit is not on disk').toBeGreaterThanOrEqual(kept[kept.length - 1]!.clock)
    for (const { deleted } of kept) {
      for (const range of deleted)
        expect(deletions.has(...range), 'a confirmed deletion is not on disk').toBe(true)
    }
  }
}

function run(seed: number): World {
  const random = randomFrom(seed)
  const world = new World(random, 2 + Math.floor(random() * 3))
  try {
    for (let step = 0; step < STEPS; step++) {
      world.step()
      if (step % 10 === 0) checkConfirmed(world)
    }
    world.settle()
    checkConfirmed(world)
    const [first, ...rest] = world.agents.map(({ doc }) => fingerprint(doc))
    for (const other of rest) expect(other).toEqual(first)
    expect(fingerprint(world.durableDoc())).toEqual(first)
    for (const { outbox, skein } of world.agents) {
      if (skein) expect(outbox.unconfirmed).toBe(0)
      expect(outbox.notHandedOver).toBe(0)
    }
    // Settling once more brings nothing new: no reconnect makes the log grow.
    const entries = world.logEntries
    world.settle()
    expect(world.logEntries).toBe(entries)
  } catch (error) {
    throw new Error(`seed ${seed}: repeat with SKEIN_SEED=${seed} SKEIN_RUNS=1\n${world.log.join('\n')}`, {
      cause: error,
    })
  }
  return world
}

/** State vector, delete set and content. */
function fingerprint(doc: Y.Doc): unknown {
  return {
    stateVector: [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort((a, b) => a[0] - b[0]),
    deleteSet: [...Y.createDeleteSetFromStructStore(doc.store).clients].sort((a, b) => a[0] - b[0]),
    json: doc.getMap('state').toJSON(),
  }
}

describe('agents and a relay under faults', () => {
  test(
    `R3 R5 S6 cuts, kills and congestion: ${RUNS} worlds converge and lose nothing confirmed`,
    () => {
      const seed = runSeed('packages/sync/test/world.test.ts')
      for (let i = 0; i < RUNS; i++) run(seed + i)
    },
    30_000 + RUNS * 100,
  )

  test('the same seed gives the same log', () => {
    expect(run(42).log).toEqual(run(42).log)
  })
})
