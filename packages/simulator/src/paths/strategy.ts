import type { PathEffects, PathId, Transmission } from '@skein/sync'

/** A way to use several paths, for one message to be told the next step at a time. */
export interface Strategy {
  readonly deadlineMs: number
  opened(nowMs: number, path: PathId): PathEffects
  closed(nowMs: number, path: PathId): PathEffects
  buffered(nowMs: number, path: PathId, bytes: number): PathEffects
  submit(nowMs: number, transmission: Transmission): PathEffects
  acknowledged(nowMs: number, path: PathId, id: number): PathEffects
  answered(nowMs: number, path: PathId, roundTripMs: number): PathEffects
  timeout(nowMs: number, random: number): PathEffects
}
