import { Random } from '../random.js'
import type { Scenario } from './scenarios.js'
import type { Strategy } from './strategy.js'
import { PathWorld } from './world.js'

export interface ScenarioResult {
  /** Time from handing a message over to its first arrival, in milliseconds, ascending. */
  readonly deliveries: readonly number[]
  readonly lost: number
  /** All bytes on all lines. */
  readonly bytes: number
  readonly switches: number
  /** For each fault: how late the latest of the messages of the next second was, beyond the usual median. */
  readonly gaps: readonly number[]
  readonly seconds: number
}

const RUN_MS = 60_000
/** The first connections are being made, and nothing is measured. */
const WARM_MS = 3_000
const SETTLE_MS = 40_000
const GAP_WITHIN_MS = 1_000

export function runScenario(scenario: Scenario, strategy: Strategy, seed: number): ScenarioResult {
  // Faults and messages are the same for all strategies; what lines do depends on what is sent.
  const world = new PathWorld(new Random(seed), scenario.paths, strategy)
  const traffic = new Random(seed + 1)
  const faultsMs: number[] = []
  const { events } = world
  const submit = () => {
    if (events.nowMs >= RUN_MS) return
    world.submit(Math.max(20, Math.round(traffic.around(scenario.messageBytes))))
    events.after(traffic.around(scenario.messageEveryMs), submit)
  }
  events.after(WARM_MS, submit)
  const { fault, faultAtMs, faultEveryMs } = scenario
  const fail = () => {
    if (fault === undefined || events.nowMs >= RUN_MS) return
    faultsMs.push(events.nowMs)
    world.fail(0, fault)
    events.after(faultEveryMs, fail)
  }
  if (fault !== undefined) events.at(faultAtMs, fail)
  world.run(RUN_MS + SETTLE_MS)

  const delivered = world.messages.filter(({ deliveredMs }) => deliveredMs !== undefined)
  const deliveries = delivered.map(({ atMs, deliveredMs }) => deliveredMs! - atMs).sort((a, b) => a - b)
  const usualMs = deliveries[deliveries.length >> 1] ?? 0
  const gaps = faultsMs.map((faultMs) => {
    const hit = delivered.filter(({ atMs }) => atMs >= faultMs - 50 && atMs < faultMs + GAP_WITHIN_MS)
    return Math.max(0, ...hit.map(({ atMs, deliveredMs }) => deliveredMs! - atMs - usualMs))
  })
  return {
    deliveries,
    lost: world.messages.length - delivered.length,
    bytes: world.bytes,
    switches: world.switches.filter(({ change }) => change.from !== undefined).length,
    gaps: gaps.sort((a, b) => a - b),
    seconds: (RUN_MS - WARM_MS) / 1_000,
  }
}
