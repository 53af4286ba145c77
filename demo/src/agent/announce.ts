import type { Json, Space } from '@skein/agent'

/** Gap between two announcements: others see an edit's effect on the digest at most this late. */
export const ANNOUNCE_GAP_MS = 500
/** Edits that come together are announced together. */
const ANNOUNCE_SETTLE_MS = 60

/**
 * Keeps this agent's presence up to date with how it is connected and what its replica holds, at most
 * twice a second and always once more after the last change. Returns the function that ends it.
 */
export function announce(space: Space): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let lastAt = 0
  let last = ''

  const publish = () => {
    timer = undefined
    const fields = announcement(space)
    const text = JSON.stringify(fields)
    if (text === last) return
    last = text
    lastAt = Date.now()
    space.presence.set(fields)
  }
  const changed = () => {
    timer ??= setTimeout(publish, Math.max(ANNOUNCE_SETTLE_MS, lastAt + ANNOUNCE_GAP_MS - Date.now()))
  }

  publish()
  space.doc.on('update', changed)
  const endStatus = space.onStatus(changed)
  return () => {
    clearTimeout(timer)
    space.doc.off('update', changed)
    endStatus()
  }
}

function announcement(space: Space): Record<string, Json> {
  const { path, queued } = space.status
  return {
    digest: space.digest(),
    path: path?.kind ?? 'none',
    // Whole milliseconds: a round trip that trembles is no news.
    roundTripMs: path?.roundTripMs === undefined ? null : Math.max(1, Math.round(path.roundTripMs)),
    queued,
  }
}
