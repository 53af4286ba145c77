/** Reads all spaces, and notes when what was written arrives. */
import { joinSpace, type Space } from '@skein/agent'
import { serve, sharedNowMs } from './child.js'
import { allReady, isReady, watchSwitches } from './ready.js'

export interface ReaderApi {
  /** Resolves when all are up to date, and have measured their paths. */
  join(rooms: readonly { readonly space: string; readonly relays: readonly string[] }[]): Promise<void>
  /** How many messages have come, by space. */
  received(): number[]
  /** All of them, and how often the path was changed since the first. */
  take(): { arrivals: Arrival[]; switches: number }[]
  leave(): Promise<void>
}

/** When it was written, and when it came, by the shared clock. */
export type Arrival = readonly [writtenMs: number, arrivedMs: number]

interface Reading {
  readonly space: Space
  readonly arrivals: Arrival[]
  switches: number
}

let reading: Reading[] = []

serve<ReaderApi>({
  async join(rooms) {
    reading = await Promise.all(
      rooms.map(async ({ space: name, relays }) => {
        const space = await joinSpace(name, { relays })
        const one: Reading = { space, arrivals: [], switches: 0 }
        space.observe('m/', ({ value }) => {
          const arrivedMs = sharedNowMs()
          one.arrivals.push([(value as readonly [number, string])[0], arrivedMs])
        })
        watchSwitches(space, () => {
          if (one.arrivals.length > 0) one.switches++
        })
        return one
      }),
    )
    await allReady(
      reading.map(
        ({ space }) =>
          () =>
            isReady(space),
      ),
    )
  },

  received: () => reading.map(({ arrivals }) => arrivals.length),

  take: () => reading.map(({ arrivals, switches }) => ({ arrivals, switches })),

  async leave() {
    await Promise.all(reading.map(({ space }) => space.leave()))
    reading = []
  },
})
