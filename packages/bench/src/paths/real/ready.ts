import type { Space } from '@skein/agent'

const LOOK_EVERY_MS = 20
const READY_WITHIN_MS = 30_000
/** What an agent keeps open, where it has as many relays. */
const WARM_PATHS = 2

/** Whether an agent is up to date, and has measured the paths that it keeps. */
export function isReady({ status: { connection, paths } }: Space): boolean {
  const measured = paths.filter(({ state, roundTripMs }) => state === 'good' && roundTripMs !== undefined)
  return connection === 'live' && measured.length >= Math.min(WARM_PATHS, paths.length)
}

/** @throws Error if it takes too long */
export async function allReady(ready: readonly (() => boolean)[]): Promise<void> {
  const endMs = performance.now() + READY_WITHIN_MS
  while (!ready.every((is) => is())) {
    if (performance.now() > endMs) throw new Error(`an agent had no paths within ${READY_WITHIN_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** Calls back whenever another path is used than before. */
export function watchSwitches(space: Space, switched: () => void): void {
  let last = space.status.lastSwitch
  space.onStatus(({ lastSwitch }) => {
    if (lastSwitch !== last && lastSwitch?.from !== undefined) switched()
    last = lastSwitch
  })
}
