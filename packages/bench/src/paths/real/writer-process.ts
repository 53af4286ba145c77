/** Writes in the way that is measured, in several spaces at once. */
import { joinSpace, type Space } from '@skein/agent'
import { Random } from '@skein/simulator'
import { serve, sharedNowMs } from './child.js'
import { DrivenAgent } from './driven-agent.js'
import { allReady, isReady, watchSwitches } from './ready.js'
import { CHOICES, type Way } from './ways.js'

export interface WriterApi {
  /** Resolves when all of them are up to date and have measured their paths. */
  join(what: {
    readonly way: Way
    readonly rooms: readonly {
      readonly space: string
      readonly urls: readonly string[]
      readonly seed: number
    }[]
  }): Promise<void>
  /** Writes messages of this name for so long, at moments and in sizes that are the same for the same seed. */
  write(what: {
    readonly name: string
    readonly forMs: number
    readonly everyMs: number
    readonly bytes: number
  }): Promise<{ readonly written: number; readonly switches: number }[]>
  leave(): Promise<void>
}

interface Writer {
  readonly seed: number
  readonly isReady: () => boolean
  readonly switches: () => number
  set(key: string, value: readonly (number | string)[]): void
  leave(): Promise<void> | void
}

/** What an update has beside its padding. */
const UPDATE_BYTES = 70

let writers: Writer[] = []

serve<WriterApi>({
  async join({ way, rooms }) {
    writers = await Promise.all(
      rooms.map(async ({ space, urls, seed }) =>
        way === 'agent' ? agent(space, urls, seed) : driven(way, space, urls, seed),
      ),
    )
    await allReady(writers.map((writer) => writer.isReady))
  },

  write: (what) => Promise.all(writers.map((writer) => write(writer, what))),

  async leave() {
    await Promise.all(writers.map((writer) => writer.leave()))
    writers = []
  },
})

function driven(way: Exclude<Way, 'agent'>, space: string, urls: readonly string[], seed: number): Writer {
  const agent = new DrivenAgent(way === 'one relay' ? urls.slice(0, 1) : urls, space, CHOICES[way]())
  return {
    seed,
    isReady: () => agent.isReady,
    switches: () => agent.switches.filter(({ from }) => from !== undefined).length,
    set: (key, value) => agent.set(key, value),
    leave: () => agent.leave(),
  }
}

async function agent(name: string, relays: readonly string[], seed: number): Promise<Writer> {
  const space: Space = await joinSpace(name, { relays })
  let switches = 0
  watchSwitches(space, () => {
    switches++
  })
  return {
    seed,
    isReady: () => isReady(space),
    switches: () => switches,
    set: (key, value) => void space.set(key, value),
    leave: () => space.leave(),
  }
}

function write(
  writer: Writer,
  { name, forMs, everyMs, bytes }: { name: string; forMs: number; everyMs: number; bytes: number },
): Promise<{ written: number; switches: number }> {
  const random = new Random(writer.seed)
  const endMs = performance.now() + forMs
  const switchesBefore = writer.switches()
  let written = 0
  return new Promise((resolve) => {
    const next = (atMs: number) => {
      if (atMs >= endMs) {
        const rest = Math.max(0, endMs - performance.now())
        setTimeout(() => resolve({ written, switches: writer.switches() - switchesBefore }), rest)
        return
      }
      setTimeout(
        () => {
          const padding = 'x'.repeat(Math.max(0, Math.round(random.around(bytes)) - UPDATE_BYTES))
          writer.set(`${name}/${written++}`, [sharedNowMs(), padding])
          next(atMs + random.around(everyMs))
        },
        Math.max(0, atMs - performance.now()),
      )
    }
    next(performance.now() + random.around(everyMs))
  })
}
