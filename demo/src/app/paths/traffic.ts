import type { Space } from '@skein/agent'

/** `out`: an edit made here goes over the path. `back`: an answer, or an edit of somebody else, came over it. */
export type TrafficWay = 'out' | 'back'

export interface Traffic {
  /** Calls back for what moves over the path with this URL. Returns the function that ends it. */
  listen(url: string, heard: (way: TrafficWay) => void): () => void
}

/**
 * What can be seen of the traffic from outside of the agent: edits made here go over the active path, those of
 * others are taken to come over it, and a new round trip says that something was answered over that path.
 */
export function createTraffic(space: Space): Traffic {
  const listeners = new Map<string, Set<(way: TrafficWay) => void>>()
  const tell = (url: string | undefined, way: TrafficWay) => {
    for (const heard of listeners.get(url ?? '') ?? []) heard(way)
  }
  let roundTrips = new Map<string, number | undefined>()
  space.doc.on('update', (_update, _origin, _doc, { local }: { local: boolean }) => {
    if (space.status.path !== undefined) tell(space.status.path.url, local ? 'out' : 'back')
  })
  space.onStatus(({ paths }) => {
    const before = roundTrips
    roundTrips = new Map(paths.map(({ url, roundTripMs }) => [url, roundTripMs]))
    for (const [url, roundTripMs] of roundTrips) {
      if (roundTripMs !== undefined && roundTripMs !== before.get(url)) tell(url, 'back')
    }
  })
  return {
    listen(url, heard) {
      const ofUrl = listeners.get(url) ?? new Set()
      listeners.set(url, ofUrl)
      ofUrl.add(heard)
      return () => ofUrl.delete(heard)
    },
  }
}
