import { appendFileSync, rmSync } from 'node:fs'
import type { PathsOptions } from '../options.js'
import { drawPaths } from '../plot.js'
import { Child } from './child.js'
import { type Cluster, startCluster } from './cluster.js'
import type { LinesApi } from './lines-process.js'
import { type Measured, measure, type RoomResult } from './measure.js'
import type { ReaderApi } from './reader-process.js'
import { REAL_SCENARIOS, type RealScenario } from './scenarios.js'
import { aimsOf, heading, rowsOf } from './table.js'
import { WAYS, type Way } from './ways.js'
import type { WriterApi } from './writer-process.js'

const WORLDS = 2
/** Before anything counts. */
const WARM_MS = 5_000
/** What is on its way when the writers end may take so long. */
const ARRIVE_WITHIN_MS = 45_000
const LOOK_EVERY_MS = 50

/** The processes of a run. */
interface Stage {
  readonly cluster: Cluster
  readonly lines: Child<LinesApi>
  readonly reader: Child<ReaderApi>
  readonly writers: ReadonlyMap<Way, Child<WriterApi>>
}

/**
 * Ways to use several paths, with real processes: three relays of a cluster; a writer for each way, all at the same
 * time, each in spaces of its own and over lines of its own to each relay; and a reader, directly at the third relay.
 */
export async function realPaths({
  over,
  worlds = WORLDS,
  seed,
  seconds,
  only,
  raw,
}: PathsOptions): Promise<void> {
  const chosen = REAL_SCENARIOS.filter(
    ({ name }) => only.length === 0 || only.some((part) => name.includes(part)),
  )
  const netem = over === 'inside'
  // Processes are ended when this one exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  if (raw !== undefined) rmSync(raw, { force: true })
  console.log(heading({ netem, worlds, seconds, seed }))
  const all: { readonly name: string; readonly measured: ReadonlyMap<Way, Measured> }[] = []
  for (const [index, scenario] of chosen.entries()) {
    console.error(`[${index + 1}/${chosen.length}] ${scenario.name}: ${seconds} s`)
    // Fresh ones each time: what came before leaves neither memory nor files behind.
    const stage = await setUp()
    try {
      const results = await run(stage, scenario, { netem, worlds, forMs: seconds * 1_000, seed })
      if (raw !== undefined) appendFileSync(raw, rawLine(scenario.name, results))
      const measured = measure(results)
      console.log(rowsOf(scenario.name, measured))
      all.push({ name: scenario.name, measured })
    } finally {
      await takeDown(stage)
    }
  }
  console.log(`\n${aimsOf(all)}`)
  const title = 'Several paths with real processes: delivery and bytes (lower is better)'
  const drawn = ['one relay', 'round robin', 'lowest round trip', 'agent'] as const
  const ways = { best: 'always redundant', single: 'one relay', drawn } as const
  console.log(`\nPlot: ${drawPaths<Way>(netem ? 'paths-netem.svg' : 'paths-proxy.svg', title, all, ways)}`)
}

function rawLine(scenario: string, results: ReadonlyMap<Way, readonly RoomResult[]>): string {
  return `${JSON.stringify({ scenario, ways: Object.fromEntries(results) })}\n`
}

async function setUp(): Promise<Stage> {
  const cluster = await startCluster()
  return {
    cluster,
    lines: Child.start<LinesApi>('lines-process'),
    reader: Child.start<ReaderApi>('reader-process'),
    writers: new Map(WAYS.map((way) => [way, Child.start<WriterApi>('writer-process')])),
  }
}

async function takeDown({ cluster, lines, reader, writers }: Stage): Promise<void> {
  await lines.ask('shut', undefined).catch(() => {})
  await Promise.all([lines, reader, ...writers.values()].map((child) => child.stop()))
  await cluster.stop()
}

/** Rooms of all ways, those of one way next to each other. */
async function run(
  { cluster, lines, reader, writers }: Stage,
  scenario: RealScenario,
  { netem, worlds, forMs, seed }: { netem: boolean; worlds: number; forMs: number; seed: number },
): Promise<ReadonlyMap<Way, readonly RoomResult[]>> {
  const rooms = WAYS.flatMap((way) => Array.from({ length: worlds }, (_, world) => ({ way, world })))
  const spaces = rooms.map(({ way, world }) => `${way.replaceAll(' ', '-')}-${world}`)
  const { ports } = cluster
  const urls = await lines.ask('open', {
    lines: scenario.lines.map((line) => ({
      ...line,
      rate: line.rate === Number.POSITIVE_INFINITY ? null : line.rate,
    })),
    ...{ netem, ports, rooms: rooms.length, seed },
  })
  await reader.ask('join', { relay: `ws://127.0.0.1:${ports[2]}`, spaces })
  await Promise.all(
    [...writers].map(([way, writer]) => {
      const own = rooms.flatMap((room, i) =>
        room.way === way ? [{ space: spaces[i]!, urls: urls[i]!, seed: seed + room.world }] : [],
      )
      return writer.ask('join', { way, rooms: own })
    }),
  )
  const { faults, messageEveryMs: everyMs, messageBytes: bytes } = scenario
  const writeAll = (what: Parameters<WriterApi['write']>[0]) =>
    Promise.all([...writers.values()].map((writer) => writer.ask('write', what)))
  // Code is compiled, and memory found, at its first use.
  await writeAll({ name: 'warm', forMs: WARM_MS, everyMs, bytes })
  // The same world has its faults at the same time, whatever the way; different ones have not.
  const startsMs = rooms.map(({ world }) =>
    faults === undefined ? 0 : faults.atMs + (world * faults.everyMs) / worlds,
  )
  await lines.ask('begin', { faults: faults ?? null, startsMs })
  const wrote = await writeAll({ name: 'm', forMs, everyMs, bytes })
  await lines.ask('calm', undefined)
  const written = wrote.flat()
  const endMs = Date.now() + ARRIVE_WITHIN_MS
  while (Date.now() < endMs) {
    const received = await reader.ask('received', undefined)
    if (received.every((count, i) => count >= written[i]!.written)) break
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  const [arrivals, counted] = await Promise.all([reader.ask('take', undefined), lines.ask('take', undefined)])
  const results = rooms.map(({ way }, i) => ({
    way,
    result: { ...written[i]!, ...counted[i]!, arrivals: arrivals[i]!, forMs },
  }))
  return new Map(
    WAYS.map((way) => [way, results.filter((one) => one.way === way).map(({ result }) => result)]),
  )
}
