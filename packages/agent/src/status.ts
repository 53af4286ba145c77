import type { PathStatus, PathSwitch, Status } from './types.js'

/** The path over other tabs, of which this one may be served. */
export function tabPath(isServing: boolean): PathStatus {
  return {
    kind: 'tab',
    url: '',
    role: isServing ? 'active' : 'standby',
    state: 'good',
    roundTripMs: undefined,
    reliability: 1,
    goodput: undefined,
    backlog: 0,
    confirms: isServing ? 'relay' : 'nothing',
    retryAt: undefined,
    error: undefined,
  }
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
    sameSwitch(a.lastSwitch, b.lastSwitch) &&
    a.paths.length === b.paths.length &&
    a.paths.every((path, i) => samePath(path, b.paths[i]!))
  )
}

function sameSwitch(a: PathSwitch | undefined, b: PathSwitch | undefined): boolean {
  return a?.at === b?.at && a?.reason === b?.reason && a?.to === b?.to
}

function samePath(a: PathStatus, b: PathStatus): boolean {
  return (
    a.kind === b.kind &&
    a.url === b.url &&
    a.role === b.role &&
    a.state === b.state &&
    a.roundTripMs === b.roundTripMs &&
    a.reliability === b.reliability &&
    a.goodput === b.goodput &&
    a.backlog === b.backlog &&
    a.confirms === b.confirms &&
    a.retryAt === b.retryAt &&
    a.error === b.error
  )
}
