import { OutgoingFrames } from './chunks.js'
import type { AnswerRequest } from './room-effects.js'

/**
 * What one member still has to get before updates can be forwarded to it as they come: the answer to its
 * step 1, what it missed while its connection was congested, what came in while that was on its way.
 */
export class CatchUp {
  readonly outgoing = new OutgoingFrames()
  /** What it has been sent: all up to `position`, by this state vector. Undefined before it has begun. */
  private since: Uint8Array | undefined
  private position = 0
  private step1: Uint8Array | undefined
  private isComputing = false
  /** Whether a step 1 was answered: what came before that may be missing otherwise. */
  hasAnswered = false

  /** Whether it is left out when updates are forwarded. */
  get hasBegun(): boolean {
    return this.since !== undefined
  }

  /** Everything up to this position was forwarded to the member, or is known to it. */
  begin(position: number, stateVector: Uint8Array): void {
    if (this.since !== undefined) return
    this.since = stateVector
    this.position = position
  }

  /** A step 1 to answer; only the latest counts. */
  ask(stateVector: Uint8Array): void {
    this.step1 = stateVector
  }

  /** Whether the member has everything up to this position. */
  isDone(position: number): boolean {
    if (this.isComputing || this.step1 !== undefined || !this.outgoing.isEmpty) return false
    return this.since !== undefined && this.position === position
  }

  /** What to compute next, if it is time for it; the answer will hold everything up to `position`. */
  request(position: number, stateVector: () => Uint8Array): Omit<AnswerRequest, 'member'> | undefined {
    const { step1, since } = this
    if (this.isComputing || !this.outgoing.isEmpty || since === undefined || this.isDone(position)) {
      return undefined
    }
    this.hasAnswered ||= step1 !== undefined
    this.step1 = undefined
    this.isComputing = true
    this.position = position
    this.since = stateVector()
    return step1 === undefined
      ? { kind: 'update', stateVector: since }
      : { kind: 'sync-step-2', stateVector: step1 }
  }

  answered(frames: readonly Uint8Array[]): void {
    this.isComputing = false
    this.outgoing.add(frames)
  }
}
