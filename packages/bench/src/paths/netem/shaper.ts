import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import type { LineOptions, Random } from '@skein/simulator'
import type { Way } from '../real/line-proxy.js'
import { type Direction, holeCommand, type LinePlace, setUpCommands } from './plan.js'

export interface ShapedLine {
  readonly place: LinePlace
  readonly options: LineOptions
}

/** Makes lines of loopback's netem: holes and bursts of loss are a loss of everything for a while. */
export class Shaper {
  private readonly tc: ChildProcess
  /** Until when each direction of each line loses everything. */
  private readonly holes = new Map<string, number>()
  private readonly timers = new Set<ReturnType<typeof setTimeout>>()

  /** @throws Error with what tc says */
  constructor(
    lines: readonly ShapedLine[],
    private readonly random: Random,
  ) {
    const input = `${setUpCommands(lines).join('\n')}\n`
    execFileSync('tc', ['-batch', '-'], { input, stdio: ['pipe', 'ignore', 'pipe'] })
    // One process for all that follows: starting one takes longer than the shortest burst.
    this.tc = spawn('tc', ['-force', '-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] })
    for (const line of lines) {
      for (const direction of ['up', 'down'] as const) this.nextBurst(line, direction)
    }
  }

  hole(line: ShapedLine, way: Way, durationMs: number): void {
    if (way !== 'down') this.lose(line, 'up', durationMs)
    if (way !== 'up') this.lose(line, 'down', durationMs)
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer)
    this.tc.stdin!.end('qdisc del dev lo root\n')
  }

  private lose(line: ShapedLine, direction: Direction, durationMs: number): void {
    const key = `${line.place.room} ${line.place.line} ${direction}`
    const endsMs = performance.now() + durationMs
    if ((this.holes.get(key) ?? 0) >= endsMs) return
    this.holes.set(key, endsMs)
    this.say(holeCommand(line.place, direction, line.options, true))
    this.after(durationMs, () => {
      if (this.holes.get(key) === endsMs) this.say(holeCommand(line.place, direction, line.options, false))
    })
  }

  private nextBurst(line: ShapedLine, direction: Direction): void {
    const { burstEveryMs, burstMs } = line.options
    if (burstMs === 0) return
    this.after(this.random.around(burstEveryMs), () => {
      this.lose(line, direction, burstMs)
      this.after(burstMs, () => this.nextBurst(line, direction))
    })
  }

  private after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      run()
    }, ms)
    this.timers.add(timer)
  }

  private say(command: string): void {
    this.tc.stdin!.write(`${command}\n`)
  }
}
