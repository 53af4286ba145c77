/** A connection to a room, numbered by the caller; numbers are never used again. */
export type MemberId = number

/** An update at its place in the room's log. */
export interface PersistedUpdate {
  readonly position: number
  readonly update: Uint8Array
}

/** What a room wants done. */
export interface RoomEffects {
  /**
   * To be appended to the log, in order. When it is on disk call `committed` with the last position: only
   * that releases acknowledgements.
   */
  readonly persist: readonly PersistedUpdate[]
  /** Frames that may be sent at once. */
  readonly send: readonly { readonly to: readonly MemberId[]; readonly frame: Uint8Array }[]
  /** Connections to close; their `leave` follows as for any closed connection. */
  readonly close: readonly { readonly member: MemberId; readonly code: number; readonly reason: string }[]
}

/** Effects in the making. */
export class Effects implements RoomEffects {
  readonly persist: PersistedUpdate[] = []
  readonly send: { to: readonly MemberId[]; frame: Uint8Array }[] = []
  readonly close: { member: MemberId; code: number; reason: string }[] = []

  sendTo(to: readonly MemberId[], frame: Uint8Array): void {
    if (to.length > 0) this.send.push({ to, frame })
  }
}
