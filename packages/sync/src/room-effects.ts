/** A connection to a room, numbered by the caller; numbers are never used again. */
export type MemberId = number

/** An update at its place in the room's log. */
export interface PersistedUpdate {
  readonly position: number
  readonly update: Uint8Array
}

/** A member lacks something: give it `answered(answerFrames(content, request))`. */
export interface AnswerRequest {
  readonly member: MemberId
  /** What the last frame is: the answer to a step 1, or an update with what a slow reader missed. */
  readonly kind: 'sync-step-2' | 'update'
  /** What the member has; the content is everything up to the last position that was handed to the log. */
  readonly stateVector: Uint8Array
}

/** What a room wants done. */
export interface RoomEffects {
  /**
   * To be appended to the log, in order. When it is on disk call `committed` with the last position: only
   * that releases acknowledgements.
   */
  readonly persist: readonly PersistedUpdate[]
  /** To be stored together with `persist`, once in the life of the space. */
  readonly epoch?: string
  /** Somebody waits for what came in up to now to be on disk: the log had better not wait for more. */
  readonly hurry: boolean
  /** How many acknowledgements and rejections are among `send`. */
  readonly acknowledgements: number
  readonly rejections: number
  /** Frames that may be sent at once. */
  readonly send: readonly { readonly to: readonly MemberId[]; readonly frame: Uint8Array }[]
  /** To be computed from the content, which the room does not hold; at once or later. */
  readonly answers: readonly AnswerRequest[]
  /** Members for which more is there: call `writable` when their connections have sent most of what they hold. */
  readonly more: readonly MemberId[]
  /** Connections to close; their `leave` follows as for any closed connection. */
  readonly close: readonly { readonly member: MemberId; readonly code: number; readonly reason: string }[]
}

/** Effects in the making. */
export class Effects implements RoomEffects {
  readonly persist: PersistedUpdate[] = []
  epoch?: string
  hurry = false
  acknowledgements = 0
  rejections = 0
  readonly send: { to: readonly MemberId[]; frame: Uint8Array }[] = []
  readonly answers: AnswerRequest[] = []
  readonly more: MemberId[] = []
  readonly close: { member: MemberId; code: number; reason: string }[] = []

  sendTo(to: readonly MemberId[], frame: Uint8Array): void {
    if (to.length > 0) this.send.push({ to, frame })
  }
}
