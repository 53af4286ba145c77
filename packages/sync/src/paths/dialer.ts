import type { PathId } from './path.js'

export const DIAL_LIMITS = {
  /** So many paths are kept open: the active one, and one that takes over. */
  warmPaths: 2,
  /** Pause between the starts of two attempts: that long the one before has to come up. */
  staggerMs: 250,
  /** Beyond it, at most, before a path is replaced that stood by: a dead relay's agents must not all come at once. */
  replaceWithinMs: 1_000,
  /** A connection that is open and not ready so long after its attempt began is not counted on. */
  readyWithinMs: 2_000,
} as const

/** One relay or server of the list, as far as it matters for the next attempt. */
export interface DialedPath {
  /** `waiting`: for its backoff. `idle`: it may be tried. */
  readonly state: 'idle' | 'connecting' | 'waiting' | 'open' | 'refused'
  /** It cannot be kept open beside others. */
  readonly isUnfit: boolean
  /** When its last attempt began; `-Infinity` where there was none. */
  readonly attemptedMs: number
  /** Edits may go over it. */
  readonly isReady: boolean
  /** It is open, but does not answer. */
  readonly isSilent: boolean
  /** Others had better be closed before it: it is active, or strong requests go over it. */
  readonly isInUse: boolean
}

export interface DialPlan {
  /** Start an attempt, and ask again. */
  readonly attempt?: PathId
  /** Not needed: let go of their connections and attempts. */
  readonly rest: readonly PathId[]
  /** When to ask again, if nothing happens before. */
  readonly dueMs: number
}

/**
 * Which relays of a list are connected to, and when. Relays are tried in the order of the list, none again before each
 * has had its turn. Pure; ask `plan` whenever anything may have changed.
 */
export class Dialer {
  /** When the next attempt may start while another is under way, or a path is open. */
  private mayDialMs = Number.NEGATIVE_INFINITY

  /**
   * A connection was lost. While another path works there is time, and others may have lost the same relay.
   * @param random from 0 to below 1
   */
  lost(nowMs: number, random: number, isAnyOpen: boolean): void {
    if (!isAnyOpen) return
    this.mayDialMs = nowMs + DIAL_LIMITS.staggerMs + random * DIAL_LIMITS.replaceWithinMs
  }

  plan(nowMs: number, paths: readonly DialedPath[]): DialPlan {
    const warm = paths.filter((path) => isWarm(nowMs, path)).length
    if (warm >= Math.min(DIAL_LIMITS.warmPaths, paths.length)) {
      return { rest: surplus(nowMs, paths, warm), dueMs: unreadyFrom(nowMs, paths) }
    }
    const isOpen = paths.some(({ state }) => state === 'open')
    const next = nextOf(paths, isOpen)
    if (next === undefined) return { rest: [], dueMs: unreadyFrom(nowMs, paths) }
    const isBusy = isOpen || paths.some(({ state }) => state === 'connecting')
    if (isBusy && nowMs < this.mayDialMs) return { rest: [], dueMs: this.mayDialMs }
    this.mayDialMs = nowMs + DIAL_LIMITS.staggerMs
    return { attempt: next, rest: [], dueMs: nowMs }
  }
}

/** Whether it works, or was opened just now. */
function isWarm(nowMs: number, { state, isReady, isSilent, attemptedMs }: DialedPath): boolean {
  if (state !== 'open') return false
  return isReady ? !isSilent : nowMs < attemptedMs + DIAL_LIMITS.readyWithinMs
}

/** In their order, but none again before each has had its turn. */
function nextOf(paths: readonly DialedPath[], isOpen: boolean): PathId | undefined {
  let next: PathId | undefined
  for (const [id, { state, isUnfit, attemptedMs }] of paths.entries()) {
    if (state !== 'idle' || (isUnfit && isOpen)) continue
    if (next === undefined || attemptedMs < paths[next]!.attemptedMs) next = id
  }
  return next
}

/** Attempts that are not needed any more, and one connection too many: best one that is not in use. */
function surplus(nowMs: number, paths: readonly DialedPath[], warm: number): PathId[] {
  const rest = [...paths.keys()].filter((id) => paths[id]!.state === 'connecting')
  if (warm <= DIAL_LIMITS.warmPaths) return rest
  const id = paths.findLastIndex((path) => !path.isInUse && isWarm(nowMs, path))
  return id < 0 ? rest : [...rest, id]
}

/** When the first of those that were opened just now is not counted on any more. */
function unreadyFrom(nowMs: number, paths: readonly DialedPath[]): number {
  let dueMs = Number.POSITIVE_INFINITY
  for (const { state, isReady, attemptedMs } of paths) {
    const untilMs = attemptedMs + DIAL_LIMITS.readyWithinMs
    if (state === 'open' && !isReady && untilMs > nowMs) dueMs = Math.min(dueMs, untilMs)
  }
  return dueMs
}
