/** Reads all spaces, over a direct connection to one relay, and notes when what was written arrives. */
import { joinSpace, type Space } from '@skein/agent'
import { serve, sharedNowMs } from './child.js'

export interface ReaderApi {
  /** Resolves when all are up to date. */
  join(what: { readonly relay: string; readonly spaces: readonly string[] }): Promise<void>
  /** How many messages have come, by space. */
  received(): number[]
  /** All of them. */
  take(): Arrival[][]
  leave(): Promise<void>
}

/** When it was written, and when it came, by the shared clock. */
export type Arrival = readonly [writtenMs: number, arrivedMs: number]

let reading: { readonly space: Space; readonly arrivals: Arrival[] }[] = []

serve<ReaderApi>({
  async join({ relay, spaces }) {
    reading = await Promise.all(
      spaces.map(async (name) => {
        const space = await joinSpace(name, { relays: [relay] })
        const arrivals: Arrival[] = []
        space.observe('m/', ({ value }) => {
          const arrivedMs = sharedNowMs()
          arrivals.push([(value as readonly [number, string])[0], arrivedMs])
        })
        return { space, arrivals }
      }),
    )
    await Promise.all(reading.map(({ space }) => space.whenSynced))
  },

  received: () => reading.map(({ arrivals }) => arrivals.length),

  take: () => reading.map(({ arrivals }) => arrivals),

  async leave() {
    await Promise.all(reading.map(({ space }) => space.leave()))
    reading = []
  },
})
