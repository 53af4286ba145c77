import type { RoomResult } from './measure.js'
import type { RealScenario } from './scenarios.js'
import type { Stage } from './stage.js'
import { WAYS, WAYS_TO_READ, type Way } from './ways.js'
import type { WriterApi } from './writer-process.js'

export interface RunOptions {
  readonly netem: boolean
  readonly worlds: number
  readonly forMs: number
  readonly seed: number
}

/** A space with its writer and its reader. */
interface Room {
  readonly way: Way
  readonly world: number
  readonly space: string
  /** The addresses of its lines. */
  readonly urls: readonly string[]
}

/** Before anything counts: code is compiled, and memory found, at its first use. */
const WARM_MS = 5_000
/** What is on its way when the writers end may take so long. */
const ARRIVE_WITHIN_MS = 30_000
const LOOK_EVERY_MS = 50

/** Plays a scenario in all ways at once. */
export async function run(
  stage: Stage,
  scenario: RealScenario,
  options: RunOptions,
): Promise<ReadonlyMap<Way, readonly RoomResult[]>> {
  const { lines, reader } = stage
  const ways = scenario.at === 'writer' ? WAYS : WAYS_TO_READ
  const rooms = await openRooms(stage, scenario, ways, options)
  await join(stage, scenario, rooms, options.seed)
  const { faults, messageEveryMs: everyMs, messageBytes: bytes } = scenario
  const writeAll = (what: Parameters<WriterApi['write']>[0]) =>
    Promise.all(ways.map((way) => stage.writers.get(way)!.ask('write', what)))
  await writeAll({ name: 'warm', forMs: WARM_MS, everyMs, bytes })
  // The same world has its faults at the same time, whatever the way; different ones have not.
  const startsMs = rooms.map(({ world }) =>
    faults === undefined ? 0 : faults.atMs + (world * faults.everyMs) / options.worlds,
  )
  await lines.ask('begin', { faults: faults ?? null, startsMs })
  const wrote = (await writeAll({ name: 'm', forMs: options.forMs, everyMs, bytes })).flat()
  await lines.ask('calm', undefined)
  await arrived(stage, wrote)
  const [read, counted] = await Promise.all([reader.ask('take', undefined), lines.ask('take', undefined)])
  const results = rooms.map(({ way }, i): { way: Way; result: RoomResult } => {
    const { written, switches } = wrote[i]!
    const { arrivals, switches: switchesOfReader } = read[i]!
    const ofChooser = scenario.at === 'writer' ? switches : switchesOfReader
    return {
      way,
      result: { ...counted[i]!, written, arrivals, switches: ofChooser, forMs: options.forMs },
    }
  })
  return new Map(
    ways.map((way) => [way, results.filter((one) => one.way === way).map(({ result }) => result)]),
  )
}

/** Those of one way next to each other. */
async function openRooms(
  { cluster, lines }: Stage,
  scenario: RealScenario,
  ways: readonly Way[],
  { netem, worlds, seed }: RunOptions,
): Promise<Room[]> {
  const urls = await lines.ask('open', {
    lines: scenario.lines.map((line) => ({
      ...line,
      rate: line.rate === Number.POSITIVE_INFINITY ? null : line.rate,
    })),
    ...{ netem, ports: cluster.ports, rooms: ways.length * worlds, seed },
  })
  return ways.flatMap((way, i) =>
    Array.from({ length: worlds }, (_, world) => ({
      ...{ way, world, space: `${way.replaceAll(' ', '-')}-${world}` },
      urls: urls[i * worlds + world]!,
    })),
  )
}

async function join(
  { cluster, reader, writers }: Stage,
  { at }: RealScenario,
  rooms: readonly Room[],
  seed: number,
): Promise<void> {
  const direct = [`ws://127.0.0.1:${cluster.ports[2]}`]
  const overLines = ({ way, urls }: Room) => (way === 'one relay' ? urls.slice(0, 1) : urls)
  await reader.ask(
    'join',
    rooms.map((room) => ({ space: room.space, relays: at === 'reader' ? overLines(room) : direct })),
  )
  await Promise.all(
    [...writers].map(([way, writer]) =>
      writer.ask('join', {
        way: at === 'reader' ? 'one relay' : way,
        rooms: rooms
          .filter((room) => room.way === way)
          .map(({ space, urls, world }) => ({
            ...{ space, seed: seed + world, urls: at === 'reader' ? direct : urls },
          })),
      }),
    ),
  )
}

/** Waits for all that was written to be read; gives up after a while. */
async function arrived({ reader }: Stage, wrote: readonly { readonly written: number }[]): Promise<void> {
  const endMs = performance.now() + ARRIVE_WITHIN_MS
  while (performance.now() < endMs) {
    const received = await reader.ask('received', undefined)
    if (received.every((count, i) => count >= wrote[i]!.written)) return
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
