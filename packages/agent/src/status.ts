import type { PathStatus, Status } from './types.js'

/** The path of a tab that has no relay, but a neighbour that has one. */
export const TAB_PATH: PathStatus = {
  kind: 'tab',
  url: '',
  roundTripMs: undefined,
  confirms: 'relay',
}

/** Whether two statuses show the same, so that nobody need be told. */
export function sameStatus(a: Status, b: Status): boolean {
  return (
    a.connection === b.connection &&
    a.queued === b.queued &&
    a.unsaved === b.unsaved &&
    a.queuedRanges === b.queuedRanges &&
    a.unsavedRanges === b.unsavedRanges &&
    a.epoch === b.epoch &&
    a.store === b.store &&
    a.tabs === b.tabs &&
    a.retryAt === b.retryAt &&
    a.error === b.error &&
    a.path?.kind === b.path?.kind &&
    a.path?.url === b.path?.url &&
    a.path?.roundTripMs === b.path?.roundTripMs &&
    a.path?.confirms === b.path?.confirms
  )
}
