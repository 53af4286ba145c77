/** All lines of the writers, and what happens to them. A process of its own, so that nobody's work delays them. */
import { type LineOptions, Random } from '@skein/simulator'
import { serve, sharedNowMs } from './child.js'
import { LineProxy } from './line-proxy.js'
import type { RealFaults } from './scenarios.js'

/** JSON has no Infinity. */
export type SentLine = Omit<LineOptions, 'rate'> & { readonly rate: number | null }

export interface LinesApi {
  /** Opens lines to these ports for so many rooms. Returns their URLs by room. */
  open(what: {
    readonly lines: readonly SentLine[]
    readonly ports: readonly number[]
    readonly rooms: number
    readonly seed: number
  }): Promise<string[][]>
  /** Counts from now on, and lets the faults happen. @param startsMs the room's pause before its first one */
  begin(what: { readonly faults: RealFaults | null; readonly startsMs: readonly number[] }): void
  /** No more faults. */
  calm(): void
  /** What was counted. */
  take(): LinesOfRoom[]
  shut(): Promise<void>
}

export interface LinesOfRoom {
  readonly up: number
  readonly down: number
  /** When there were faults, by the shared clock. */
  readonly faultsMs: readonly number[]
}

const LOOK_EVERY_MS = 250
const LOOKS = 4

interface Room {
  readonly lines: readonly LineProxy[]
  readonly before: readonly { up: number; down: number }[]
  readonly faultsMs: number[]
  /** What each line had been given up at the last looks, oldest first. */
  readonly looks: number[][]
}

let rooms: Room[] = []
const timers = new Set<ReturnType<typeof setTimeout>>()

serve<LinesApi>({
  async open({ lines, ports, rooms: count, seed }) {
    const random = new Random(seed)
    rooms = []
    for (let i = 0; i < count; i++) {
      const proxies = await Promise.all(
        lines.map((line, at) => {
          const options = { ...line, rate: line.rate ?? Number.POSITIVE_INFINITY }
          const own = new Random(random.below(2 ** 32))
          return LineProxy.open({ port: ports[at]!, up: options, down: options, random: own })
        }),
      )
      rooms.push({ lines: proxies, before: proxies.map(() => ({ up: 0, down: 0 })), faultsMs: [], looks: [] })
    }
    return rooms.map((room) => room.lines.map(({ url }) => url))
  },

  begin({ faults, startsMs }) {
    for (const room of rooms) {
      for (const [i, { bytes }] of room.lines.entries()) Object.assign(room.before[i]!, bytes)
    }
    timers.add(setInterval(look, LOOK_EVERY_MS))
    if (faults === null) return
    for (const [i, room] of rooms.entries()) {
      after(startsMs[i]!, () => {
        fail(room, faults)
        timers.add(setInterval(() => fail(room, faults), faults.everyMs))
      })
    }
  },

  calm() {
    for (const timer of timers) clearTimeout(timer)
    timers.clear()
  },

  take: () =>
    rooms.map(({ lines, before, faultsMs }) => ({
      up: sum(lines.map(({ bytes }, i) => bytes.up - before[i]!.up)),
      down: sum(lines.map(({ bytes }, i) => bytes.down - before[i]!.down)),
      faultsMs,
    })),

  async shut() {
    await Promise.all(rooms.flatMap(({ lines }) => lines.map((line) => line.shut())))
    rooms = []
  },
})

function after(ms: number, run: () => void): void {
  timers.add(setTimeout(run, ms))
}

function look(): void {
  for (const { lines, looks } of rooms) {
    looks.push(lines.map(({ bytes }) => bytes.up))
    if (looks.length > LOOKS) looks.shift()
  }
}

function fail(room: Room, { fault, line: which }: RealFaults): void {
  const line = which === 'first' ? room.lines[0]! : mostUsed(room)
  room.faultsMs.push(sharedNowMs())
  if (fault.kind === 'close') line.close(fault.how)
  else line.hole(fault.way, fault.durationMs)
}

function mostUsed({ lines, looks }: Room): LineProxy {
  const used = ({ bytes }: LineProxy, i: number) => bytes.up - (looks[0]?.[i] ?? 0)
  return lines.reduce((most, line, i) => (used(line, i) > used(most, lines.indexOf(most)) ? line : most))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
