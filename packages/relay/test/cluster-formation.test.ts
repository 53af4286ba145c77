import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clusterOf, nextFormationStep } from '../src/cluster/formation.js'
import type { Hello } from '../src/cluster/hello.js'
import { runSeed } from './helpers.js'

const LISTED = ['r1', 'r2', 'r3']
const seed = runSeed('packages/relay/test/cluster-formation.test.ts')

function fresh(id: string, store = `s-${id}`): Hello {
  return { id, store, listed: LISTED, founding: undefined, cluster: undefined, addresses: {} }
}

function peersOf(...hellos: Hello[]): Map<string, Hello> {
  return new Map(hellos.map((hello) => [hello.id, hello]))
}

const MEMBERS = LISTED.map((id) => ({ id, store: `s-${id}` }))

describe('the founding of a cluster', () => {
  test('K1 nobody agrees before all have been heard from, nor begins before all have agreed', () => {
    const self = fresh('r1')
    expect(nextFormationStep(self, peersOf(fresh('r2')))).toEqual({ kind: 'wait', missing: ['r3'] })
    const peers = peersOf(fresh('r2'), fresh('r3'))
    expect(nextFormationStep(self, peers)).toEqual({ kind: 'agree', members: MEMBERS })
    const agreed = { ...self, founding: MEMBERS }
    expect(nextFormationStep(agreed, peers)).toEqual({ kind: 'wait', missing: ['r2', 'r3'] })
    const all = peersOf({ ...fresh('r2'), founding: MEMBERS }, { ...fresh('r3'), founding: MEMBERS })
    expect(nextFormationStep(agreed, all)).toEqual({ kind: 'form', members: MEMBERS })
  })

  test('K1 one that has begun shows that all had agreed', () => {
    const agreed = { ...fresh('r1'), founding: MEMBERS }
    const begun = { ...fresh('r2'), founding: MEMBERS, cluster: clusterOf(MEMBERS) }
    expect(nextFormationStep(agreed, peersOf(begun))).toEqual({ kind: 'form', members: MEMBERS })
  })

  test('K1 who agreed to one store never founds a cluster with another under the same id', () => {
    const agreed = { ...fresh('r1'), founding: MEMBERS }
    const wiped = peersOf(fresh('r2', 'another'), { ...fresh('r3'), founding: MEMBERS })
    const step = nextFormationStep(agreed, wiped)
    expect(step).toMatchObject({ kind: 'conflict', message: expect.stringContaining('another store of r2') })
  })

  test('K2 one alone agrees and begins', () => {
    const self = { ...fresh('r1'), listed: ['r1'] }
    const members = [{ id: 'r1', store: 's-r1' }]
    expect(nextFormationStep(self, peersOf())).toEqual({ kind: 'agree', members })
    expect(nextFormationStep({ ...self, founding: members }, peersOf())).toEqual({ kind: 'form', members })
  })

  test('K1 whatever is heard late, and whoever is wiped, no store is in two clusters', () => {
    // What each member heard last of each other one, its hello then; and what each is now.
    const step = fc.record({
      kind: fc.constantFrom('hear', 'hear', 'hear', 'act', 'act', 'wipe'),
      a: fc.nat(2),
      b: fc.nat(2),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const now = LISTED.map((id) => fresh(id))
        const heard = LISTED.map(() => new Map<string, Hello>())
        const founded = new Map<string, Set<string>>()
        let wipes = 0
        for (const { kind, a, b } of steps) {
          if (kind === 'hear' && a !== b) heard[a]!.set(LISTED[b]!, now[b]!)
          if (kind === 'wipe') {
            now[a] = fresh(LISTED[a]!, `wiped-${++wipes}`)
            heard[a]!.clear()
          }
          if (kind !== 'act' || now[a]!.cluster !== undefined) continue
          const next = nextFormationStep(now[a]!, heard[a]!)
          if (next.kind === 'agree') now[a] = { ...now[a]!, founding: next.members }
          if (next.kind !== 'form') continue
          const cluster = clusterOf(next.members)
          now[a] = { ...now[a]!, cluster }
          for (const { store } of next.members) {
            founded.set(store, (founded.get(store) ?? new Set()).add(cluster))
          }
        }
        for (const clusters of founded.values()) expect(clusters.size).toBe(1)
      }),
      { seed, numRuns: 3_000 },
    )
  })
})
