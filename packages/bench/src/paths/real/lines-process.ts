/** All lines, and what happens to them. A process of its own, so that nobody's work delays them. */
import { type LineOptions, Random } from '@skein/simulator'
import { addressOf, type LinePlace } from '../netem/plan.js'
import { type ShapedLine, Shaper } from '../netem/shaper.js'
import { serve, sharedNowMs } from './child.js'
import { LineProxy } from './line-proxy.js'
import { PLAIN_LINE, type RealFaults } from './scenarios.js'

/** JSON has no Infinity. */
export type SentLine = Omit<LineOptions, 'rate'> & { readonly rate: number | null }

export interface LinesApi {
  /** Opens lines to these ports for so many rooms. Returns their URLs by room. @param netem what makes the lines */
  open(what: {
    readonly netem: boolean
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
  readonly shaped: readonly ShapedLine[]
  readonly before: readonly { up: number; down: number }[]
  readonly faultsMs: number[]
  /** What each line had been given at the last looks, oldest first. */
  readonly looks: number[][]
}

let rooms: Room[] = []
let shaper: Shaper | undefined
const timers = new Set<ReturnType<typeof setTimeout>>()

serve<LinesApi>({
  async open({ lines, ports, rooms: count, seed, netem }) {
    const random = new Random(seed)
    const all = lines.map((line) => ({ ...line, rate: line.rate ?? Number.POSITIVE_INFINITY }))
    rooms = await Promise.all(
      Array.from({ length: count }, async (_, room) => {
        const shaped = all.map((options, line) => ({ place: { room, line }, options }))
        const opened = shaped.map(({ place, options }) => openLine(place, options, netem))
        const proxies = await Promise.all(opened)
        return {
          lines: proxies,
          shaped,
          before: proxies.map(() => ({ up: 0, down: 0 })),
          faultsMs: [],
          looks: [],
        }
      }),
    )
    if (netem)
      shaper = new Shaper(
        rooms.flatMap(({ shaped }) => shaped),
        random,
      )
    return rooms.map((room) => room.lines.map(({ url }) => url))

    function openLine(place: LinePlace, options: LineOptions, isShaped: boolean): Promise<LineProxy> {
      const port = ports[place.line]!
      const own = new Random(random.below(2 ** 32))
      if (!isShaped) return LineProxy.open({ port, up: options, down: options, random: own })
      return LineProxy.open({
        port,
        up: PLAIN_LINE,
        down: PLAIN_LINE,
        random: own,
        localAddress: addressOf(place),
      })
    }
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
    shaper?.stop()
    await Promise.all(rooms.flatMap(({ lines }) => lines.map((line) => line.shut())))
    rooms = []
  },
})

function after(ms: number, run: () => void): void {
  timers.add(setTimeout(run, ms))
}

function look(): void {
  for (const { lines, looks } of rooms) {
    looks.push(lines.map(given))
    if (looks.length > LOOKS) looks.shift()
  }
}

function fail({ lines, shaped, looks, faultsMs }: Room, { fault, line: which }: RealFaults): void {
  const at = which === 'first' ? 0 : mostUsed(lines, looks[0])
  faultsMs.push(sharedNowMs())
  if (fault.kind === 'close') lines[at]!.close(fault.how)
  else if (shaper !== undefined) shaper.hole(shaped[at]!, fault.way, fault.durationMs)
  else lines[at]!.hole(fault.way, fault.durationMs)
}

/** The one that was given most since then. */
function mostUsed(lines: readonly LineProxy[], before: readonly number[] | undefined): number {
  const used = lines.map((line, i) => given(line) - (before?.[i] ?? 0))
  return used.indexOf(Math.max(...used))
}

function given({ bytes }: LineProxy): number {
  return bytes.up + bytes.down
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
