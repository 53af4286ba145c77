import * as paxos from '@skein/paxos'
import { explore, runSeed, SCOPES } from '@skein/simulator'
import { afterAll, describe, expect, test } from 'vitest'
import { Random } from '../src/random.js'
import { chooseSwarm, FAULT_KINDS, type Swarm } from '../src/swarm.js'

const FROM = Number(process.env.SKEIN_SEED ?? 1)
const SEEDS = Number(process.env.SKEIN_RUNS ?? 300)
const limits = { ...paxos.PAXOS_LIMITS }

afterAll(() => {
  Object.assign(paxos.PAXOS_LIMITS, limits)
})

describe('worlds of faults', () => {
  test('S3 keep every rule, and get on when the faults are over', { timeout: 120_000 }, () => {
    let operations = 0
    for (let seed = FROM; seed < FROM + SEEDS; seed++) {
      const result = runSeed({ seed, paxos })
      operations += result.operations
      const again = `npx -y pnpm@12 simulate --from ${seed} --seeds 1 --log`
      expect(result.violation, `seed ${seed}: ${again}`).toBeUndefined()
    }
    expect(operations).toBeGreaterThan(SEEDS)
  })

  test('S1 one seed gives one log, byte for byte', () => {
    for (let seed = FROM; seed < FROM + 20; seed++) {
      expect(logOf(seed)).toBe(logOf(seed))
    }
    expect(logOf(FROM)).not.toBe(logOf(FROM + 1))
  })

  test('S2 S4 each seed chooses among the faults, and how much registers remember', () => {
    const swarms = Array.from({ length: 300 }, (_, seed) => chooseSwarm(new Random(seed)))
    const chosen: Record<string, (swarm: Swarm) => boolean> = {
      loss: ({ loss }) => loss > 0,
      repetition: ({ duplication }) => duplication > 0,
      stragglers: ({ stragglers }) => stragglers > 0,
      'connections that keep order': ({ keepsOrder }) => keepsOrder,
      'clocks that drift': ({ drift }) => drift > 0,
      'small limits of clients': ({ limits }) => limits.clientsMax <= 2,
      'small limits of results': ({ limits }) => limits.resultsPerClientMax <= 2,
    }
    for (const kind of FAULT_KINDS) chosen[kind] = ({ everyMs }) => Number.isFinite(everyMs[kind])
    for (const [what, isOn] of Object.entries(chosen)) {
      const on = swarms.filter(isOn).length
      expect(on, what).toBeGreaterThan(15)
      expect(on, what).toBeLessThan(285)
    }
  })

  // What the simulator has found, by the rule that was broken.
  test.each([
    [59, 'two changes that one member began were both decided in one epoch'],
    [1, 'a driver of a change that was overtaken never came to an end'],
    [1006, 'forgotten was told of an operation that an earlier round had applied'],
    [20346, 'a read was answered in an epoch that was not yet on disk'],
    [30377, 'a read was answered from promises given before it began'],
    [116840, 'an answer to a read of an earlier life was counted'],
    [10014861, 'a conflict was told of a write that an accept of an earlier round could still apply'],
    [3319, 'a member that had missed a change could ask only those that were gone'],
    [32652, 'a change was over before anyone else had it installed'],
    [20105577, 'the operator took out of service a member that a change under way could still take back'],
  ])('seed %i: %s', (seed) => {
    expect(runSeed({ seed, paxos }).violation).toBeUndefined()
  })
})

describe('everything that can happen in a small world', () => {
  test.each(SCOPES)('$name', { timeout: 120_000 }, (scope) => {
    const { states, violation } = explore(paxos, scope)
    console.log(`${scope.name}: ${states} states`)
    expect(violation).toBeUndefined()
    expect(states).toBeGreaterThan(100)
  })
})

function logOf(seed: number): string {
  const lines: string[] = []
  runSeed({ seed, paxos, log: (line) => lines.push(line) })
  return lines.join('\n')
}
