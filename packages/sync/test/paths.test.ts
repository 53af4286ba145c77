import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  NEXT_STATE,
  PATH_LIMITS,
  type PathEffects,
  PathEstimates,
  PathScheduler,
  type PathState,
  scoreOf,
  type Traffic,
} from '../src/index.js'

/** A scheduler whose paths have been measured, at 60 s, shortly after some message. */
class Paths {
  readonly scheduler = new PathScheduler()
  nowMs = 60_000
  private lastId = 0

  /** @param silent a path that answers no probes */
  constructor(
    private readonly roundTripsMs: readonly number[],
    private readonly silent?: number,
  ) {
    for (const path of roundTripsMs.keys()) this.scheduler.opened(this.nowMs, path)
    // On its way meanwhile, so that the first path stays active.
    this.send()
    for (const [path, roundTripMs] of roundTripsMs.entries()) {
      for (let i = 0; i < 20; i++) this.scheduler.answered(this.nowMs, path, roundTripMs)
    }
    for (const [path, roundTripMs] of roundTripsMs.entries()) {
      this.scheduler.acknowledged(this.nowMs + roundTripMs, path, this.lastId)
    }
    this.nowMs += Math.max(...roundTripsMs)
  }

  send(traffic: Traffic = 'interactive', bytes = 100): PathEffects {
    return this.scheduler.submit(this.nowMs, { id: ++this.lastId, bytes, traffic })
  }

  /** Sends over which paths the last message went, in order. */
  over({ send }: PathEffects): string[] {
    return send.filter(({ id }) => id === this.lastId).map(({ path, why }) => `${path} ${why}`)
  }

  acknowledge(path: number, id = this.lastId): void {
    this.scheduler.acknowledged(this.nowMs, path, id)
  }

  /** Time goes on, and what is due happens; everything that came of it. */
  wait(ms: number): PathEffects[] {
    const untilMs = this.nowMs + ms
    const all: PathEffects[] = []
    while (this.scheduler.deadlineMs <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.scheduler.deadlineMs)
      const effects = this.scheduler.timeout(this.nowMs, 0.5)
      all.push(effects)
      for (const path of effects.probe) {
        if (path !== this.silent) this.scheduler.answered(this.nowMs, path, this.roundTripsMs[path]!)
      }
    }
    this.nowMs = untilMs
    return all
  }

  state(path: number): PathState {
    return this.scheduler.report(path)!.state
  }

  /** Like traffic that flows over what is active, with answers to everything but what goes over `silent`. */
  flow(ms: number, roundTripsMs: readonly number[], silent?: number): PathEffects[] {
    const all: PathEffects[] = []
    for (let passed = 0; passed < ms; passed += 50) {
      const sent = this.send()
      all.push(sent, ...this.wait(50))
      for (const { path } of sent.send) if (path !== silent) this.acknowledge(path)
      for (const [path, roundTripMs] of roundTripsMs.entries()) {
        if (path !== silent) this.scheduler.answered(this.nowMs, path, roundTripMs)
      }
    }
    return all
  }
}

const switches = (all: readonly PathEffects[]) => all.flatMap(({ switched }) => switched ?? [])
const sends = (all: readonly PathEffects[], id: number) =>
  all.flatMap(({ send }) => send).filter((send) => send.id === id)

describe('which path is active', () => {
  test('A1 the first that opens, and the best of the rest when it closes', () => {
    const { scheduler } = new Paths([50, 80, 20])
    expect(scheduler.active).toBe(0)
    expect(scheduler.closed(60_000, 0).switched).toEqual({ from: 0, to: 2, reason: 'closed' })
    expect(scheduler.closed(60_000, 1).switched).toBeUndefined()
    expect(scheduler.closed(60_000, 2).switched).toEqual({ from: 2, to: undefined, reason: 'closed' })
    expect(scheduler.opened(60_000, 1).switched).toEqual({ from: undefined, to: 1, reason: 'first' })
  })

  test('A1 another with more than 256 KiB waiting, if that one has less than half', () => {
    const { scheduler } = new Paths([50, 50])
    scheduler.buffered(60_000, 1, PATH_LIMITS.backlogBytesMax / 2 + 1)
    expect(scheduler.buffered(60_000, 0, PATH_LIMITS.backlogBytesMax + 1).switched).toBeUndefined()
    const { switched } = scheduler.buffered(60_000, 1, 0)
    expect(switched).toEqual({ from: 0, to: 1, reason: 'backlog' })
  })

  test('A2 a better one after three samples, and not again for 2 s', () => {
    const paths = new Paths([100, 20])
    expect(switches(paths.flow(500, [100, 20]))).toEqual([])
    expect(switches(paths.flow(500, [100, 20]))).toEqual([{ from: 0, to: 1, reason: 'better' }])
    const before = paths.nowMs
    const all = paths.flow(10_000, [5, 400])
    expect(switches(all)).toEqual([{ from: 1, to: 0, reason: 'better' }])
    expect(before + 10_000).toBe(paths.nowMs)
  })

  test('A2 a better one at once while nothing is on its way', () => {
    const scheduler = new PathScheduler()
    scheduler.opened(0, 0)
    scheduler.opened(0, 1)
    for (let i = 0; i < 10; i++) scheduler.answered(0, 0, 100)
    expect(scheduler.active).toBe(0)
    for (let i = 0; i < 10; i++) scheduler.answered(0, 1, 20)
    expect(scheduler.active).toBe(1)
  })

  test('A2 not one that is a little better', () => {
    expect(switches(new Paths([50, 45]).flow(20_000, [50, 45]))).toEqual([])
  })

  test.for([
    ['in use', 50],
    ['idle', Number.POSITIVE_INFINITY],
  ] as const)('A2 not one that is a few milliseconds better: paths that are %s', ([, everyMs]) => {
    // As paths of one machine are, whose answers take a moment, and now and then a little more.
    const random = seeded(1)
    const changes = changesWithNoise(600_000, everyMs, random, () => 0.3 - 2 * Math.log(1 - random()))
    expect(changes).toBeLessThanOrEqual(3)
  })

  test('A2 not after one slow answer, as the first one is while an application starts', () => {
    const scheduler = new PathScheduler()
    for (const path of [0, 1]) scheduler.opened(0, path)
    scheduler.answered(60, 0, 60)
    scheduler.answered(60, 1, 2)
    for (const nowMs of [300, 800, 1_800]) {
      for (const path of [0, 1]) scheduler.answered(nowMs, path, 2)
    }
    expect(scheduler.active).toBe(0)
    // One that stays slow is left.
    for (const nowMs of [2_800, 3_800, 4_800]) {
      scheduler.answered(nowMs, 0, 120)
      scheduler.answered(nowMs, 1, 2)
    }
    expect(scheduler.active).toBe(1)
  })

  test('A2 the score: delay while little is sent, rate under load, reliability always', () => {
    const measured = (roundTripMs: number, rate?: number) => {
      const estimates = new PathEstimates()
      for (let i = 0; i < 50; i++) estimates.measured(i, roundTripMs)
      if (rate !== undefined) estimates.delivered(rate * 1_000, 1_000)
      return estimates
    }
    const idle = { backlog: 0, size: 100, load: 0, cost: 1 }
    const busy = { ...idle, load: 100 }
    const near = measured(20, 10)
    const wide = measured(60, 200)
    expect(scoreOf(near, idle)).toBeGreaterThan(scoreOf(wide, idle))
    expect(scoreOf(near, busy)).toBeLessThan(scoreOf(wide, busy))
    expect(scoreOf(near, { ...idle, cost: 2 })).toBeCloseTo(scoreOf(near, idle) / 2)
    const before = scoreOf(near, idle)
    near.tried(false)
    expect(scoreOf(near, idle)).toBeCloseTo(before * (15 / 16) ** 2)
  })
})

describe('what is missed', () => {
  test('A3 one makes a path suspect: what it owes and what comes goes over the second, too', () => {
    const paths = new Paths([50, 60], 0)
    const first = paths.send('critical')
    expect(paths.over(first)).toEqual(['0 first', '1 copy'])
    paths.acknowledge(1)
    const second = paths.send()
    expect(paths.over(second)).toEqual(['0 first'])
    const all = paths.wait(200)
    expect(paths.state(0)).toBe('suspect')
    expect(sends(all, 3).map(({ path }) => path)).toEqual([1])
    expect(paths.scheduler.active).toBe(0)
    expect(all.some(({ probe }) => probe.includes(0))).toBe(true)
  })

  test('A3 what two paths owe goes over a third when both are suspect (seed 2002783)', () => {
    const paths = new Paths([50, 60, 70], 0)
    expect(paths.over(paths.send('critical'))).toEqual(['0 first', '1 copy'])
    const all = paths.wait(500)
    expect(paths.state(0)).not.toBe('good')
    expect(sends(all, 2)).toContainEqual({ path: 2, id: 2, why: 'again' })
  })

  test('A3 as long again makes it silent, and any answer good', () => {
    const paths = new Paths([50, 60], 0)
    paths.send()
    const all = paths.wait(400)
    expect(paths.state(0)).toBe('silent')
    expect(switches(all)).toEqual([{ from: 0, to: 1, reason: 'silent' }])
    paths.acknowledge(0, 2)
    expect(paths.state(0)).toBe('good')
    expect(paths.scheduler.active).toBe(1)
  })

  test('A3 the deadline follows the path', () => {
    const paths = new Paths([300, 300])
    paths.send()
    paths.wait(299)
    expect(paths.state(0)).toBe('good')
    const fresh = new PathScheduler()
    fresh.opened(0, 0)
    fresh.submit(0, { id: 1, bytes: 1, traffic: 'bulk' })
    fresh.timeout(0, 0)
    expect(fresh.deadlineMs).toBeLessThanOrEqual(PATH_LIMITS.deadlineMsUnknown)
    fresh.timeout(PATH_LIMITS.deadlineMsUnknown - 1, 0)
    expect(fresh.report(0)!.state).toBe('good')
    fresh.timeout(PATH_LIMITS.deadlineMsUnknown, 0)
    expect(fresh.report(0)!.state).toBe('suspect')
  })

  test('A3 every state has an answer to every event', () => {
    for (const [state, next] of Object.entries(NEXT_STATE)) {
      expect(next.closed, state).toBe('closed')
      expect(next.opened, state).toBe('good')
      expect(next.answered, state).toBe(state === 'closed' ? 'closed' : 'good')
    }
  })

  test('A4 all that is not acknowledged goes over the new one, once', () => {
    const paths = new Paths([50, 60])
    for (let i = 0; i < 3; i++) paths.send('bulk')
    paths.acknowledge(0, 3)
    const { send } = paths.scheduler.closed(paths.nowMs, 0)
    expect(send).toEqual([2, 4].map((id) => ({ path: 1, id, why: 'again' })))
  })

  test('A4 what went over a path that was not active goes again when that one closes', () => {
    const paths = new Paths([50, 60])
    paths.send()
    paths.wait(80)
    expect(paths.over(paths.send())).toEqual(['1 first'])
    const { send } = paths.scheduler.closed(paths.nowMs, 1)
    expect(send).toEqual([{ path: 0, id: 3, why: 'again' }])
  })

  test('A5 nothing goes again after its acknowledgement', () => {
    const paths = new Paths([50, 60])
    paths.send('critical')
    paths.acknowledge(1)
    expect(sends(paths.wait(5_000), 2)).toEqual([])
    expect(paths.scheduler.closed(paths.nowMs, 0).send).toEqual([])
  })
})

describe('how many paths', () => {
  test('A6 critical ones, and the first after 10 s, take two', () => {
    const paths = new Paths([50, 60, 70])
    expect(paths.over(paths.send('critical'))).toEqual(['0 first', '1 copy'])
    expect(paths.over(paths.send())).toEqual(['0 first'])
    paths.nowMs += 50
    for (const id of [2, 3]) paths.acknowledge(0, id)
    paths.wait(PATH_LIMITS.idleMs + 1)
    expect(paths.over(paths.send())).toEqual(['0 first', '1 copy'])
  })

  test('A7 what takes unusually long is hedged over the second', () => {
    const paths = new Paths([50, 60])
    paths.send()
    expect(sends(paths.wait(49), 2)).toEqual([])
    expect(sends(paths.wait(26), 2)).toEqual([{ path: 1, id: 2, why: 'hedge' }])
  })

  test('A7 not what takes a few milliseconds longer than usual', () => {
    const paths = new Paths([2, 2])
    paths.send()
    expect(sends(paths.wait(11), 2)).toEqual([])
    expect(sends(paths.wait(2), 2)).toEqual([{ path: 1, id: 2, why: 'hedge' }])
  })

  test('A7 hedges add 1 KiB, and then 5 % of what is sent', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 300 }), (sizes) => {
        const paths = new Paths([50, 60])
        let [bytes, hedged] = [100, 0]
        for (const size of sizes) {
          bytes += size
          const { send } = paths.send('interactive', size)
          const all = [{ send }, ...paths.wait(90)].flatMap((effects) => effects.send)
          if (all.some(({ why }) => why === 'hedge')) hedged += size
          for (const { path, id } of all) paths.acknowledge(path, id)
        }
        expect(hedged).toBeLessThanOrEqual(PATH_LIMITS.hedgeBytesFirst + PATH_LIMITS.hedgeShare * bytes)
      }),
      { numRuns: 50 },
    )
  })

  test('A8 while one stands still another is used, and it stays active', () => {
    const paths = new Paths([50, 60])
    paths.send()
    paths.wait(80)
    expect(paths.over(paths.send())).toEqual(['1 first'])
    expect(paths.scheduler.active).toBe(0)
    paths.acknowledge(0, 2)
    expect(paths.over(paths.send())).toEqual(['0 first'])
  })

  test('A8 not one that is much worse', () => {
    const paths = new Paths([50, 900])
    paths.send()
    paths.wait(80)
    expect(paths.over(paths.send())).toEqual(['0 first'])
  })

  test('A9 bulk takes one and is not hedged; presence is not remembered', () => {
    const paths = new Paths([50, 60], 0)
    expect(paths.over(paths.send('bulk', 10_000))).toEqual(['0 first'])
    expect(sends(paths.wait(1_000), 2)).toEqual([{ path: 1, id: 2, why: 'again' }])
    const other = new Paths([50, 60])
    expect(other.over(other.send('presence'))).toEqual(['0 first'])
    expect(other.scheduler.closed(other.nowMs, 0).send).toEqual([])
  })

  test('A12 one path takes everything, whatever its state', () => {
    const paths = new Paths([50], 0)
    paths.send()
    paths.wait(5_000)
    expect(paths.state(0)).toBe('silent')
    expect(paths.over(paths.send('critical'))).toEqual(['0 first'])
    expect(paths.scheduler.active).toBe(0)
  })
})

/** How often the active one of three paths changes, when all that is wrong with them is how long answers take. */
function changesWithNoise(
  forMs: number,
  everyMs: number,
  random: () => number,
  roundTripMs: () => number,
): number {
  const scheduler = new PathScheduler()
  const answers: { readonly atMs: number; readonly give: () => PathEffects }[] = []
  let [nowMs, lastId, changes, nextMs] = [0, 0, 0, everyMs]
  const follow = ({ send, probe, switched }: PathEffects) => {
    if (switched?.from !== undefined) changes++
    for (const { path, id } of send) {
      answers.push({ atMs: nowMs + roundTripMs(), give: () => scheduler.acknowledged(nowMs, path, id) })
    }
    for (const path of probe) {
      const afterMs = roundTripMs()
      answers.push({ atMs: nowMs + afterMs, give: () => scheduler.answered(nowMs, path, afterMs) })
    }
  }
  for (const path of [0, 1, 2]) follow(scheduler.opened(0, path))
  while (nowMs < forMs) {
    answers.sort((a, b) => a.atMs - b.atMs)
    const answerMs = answers[0]?.atMs ?? Number.POSITIVE_INFINITY
    nowMs = Math.min(answerMs, nextMs, Math.max(nowMs, scheduler.deadlineMs))
    if (nowMs === answerMs) follow(answers.shift()!.give())
    else if (nowMs === nextMs) {
      follow(scheduler.submit(nowMs, { id: ++lastId, bytes: 100, traffic: 'interactive' }))
      nextMs += everyMs
    } else follow(scheduler.timeout(nowMs, random()))
  }
  return changes
}

/** Numbers from 0 to below 1 that are the same for the same seed: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test('A10 probes come every second while anything is sent, then every 10 s; to the silent ever more rarely', () => {
  const paths = new Paths([50, 60], 0)
  paths.flow(2_000, [50, 60])
  const probes = (all: readonly PathEffects[], path: number) =>
    all.filter(({ probe }) => probe.includes(path)).length
  expect(probes(paths.flow(10_000, [50, 60]), 1)).toBeCloseTo(10, -0.5)
  paths.flow(1_000, [50, 60], 0)
  expect(paths.state(0)).toBe('silent')
  const early = probes(paths.flow(2_000, [50, 60], 0), 0)
  paths.flow(60_000, [50, 60], 0)
  const late = probes(paths.flow(20_000, [50, 60], 0), 0)
  expect(early).toBeGreaterThan(2)
  expect(late / 20).toBeLessThan(early / 2 / 2)
  expect(late).toBeGreaterThan(0)
})

test('A11 what is over the limit is not taken', () => {
  const scheduler = new PathScheduler()
  scheduler.opened(0, 0)
  for (let id = 0; id < PATH_LIMITS.inFlightMax; id++) {
    expect(scheduler.isFull).toBe(false)
    scheduler.submit(0, { id, bytes: 1, traffic: 'bulk' })
  }
  expect(scheduler.isFull).toBe(true)
  expect(() => scheduler.submit(0, { id: -1, bytes: 1, traffic: 'bulk' })).toThrow(RangeError)
  scheduler.acknowledged(0, 0, 0)
  expect(scheduler.isFull).toBe(false)
})

test('a message that came over no path yet goes over the first that opens', () => {
  const scheduler = new PathScheduler()
  expect(scheduler.submit(0, { id: 1, bytes: 1, traffic: 'interactive' }).send).toEqual([])
  expect(scheduler.opened(5, 3).send).toEqual([{ path: 3, id: 1, why: 'again' }])
})
