import { encodeStateVector } from '@skein/protocol'
import { Coverage } from './coverage.js'
import type { PersistedUpdate } from './room-effects.js'

/** What a room knows of its log's content without holding it. Add the entries one by one. */
export class RoomIndex {
  /** Of the last entry. */
  position = 0
  /** Bytes that the log holds. */
  bytes = 0
  private readonly coverage = new Coverage()
  private cachedStateVector: Uint8Array | undefined
  private cachedDigest: { readonly value: string | undefined } | undefined

  /** An entry of the log. @throws ProtocolError where it is not an update */
  add({ position, update }: PersistedUpdate): void {
    this.take(update, Number.POSITIVE_INFINITY)
    this.position = position
    this.bytes += update.length
  }

  /**
   * Checks an update and counts what it contains; true if any of it was new.
   * @throws ProtocolError where it is malformed, and what `rootEntry` throws; then nothing counts
   */
  take(update: Uint8Array, bytesMax?: number, rootEntry?: (root: string, key: string) => void): boolean {
    const isNew = this.coverage.add(update, bytesMax, rootEntry)
    if (isNew) {
      this.cachedStateVector = undefined
      this.cachedDigest = undefined
    }
    return isNew
  }

  /** Whether a client of the last update has structs here whose predecessors are missing. */
  get lastHasGap(): boolean {
    return this.coverage.lastHasGap
  }

  /** Gives what was taken in its place in the log. */
  append(bytes: number): number {
    this.position++
    this.bytes += bytes
    return this.position
  }

  /** How far a client's edits are here without a gap. */
  clockOf(client: number): number {
    return this.coverage.clockOf(client)
  }

  /** Encoded, of everything that was taken in. */
  stateVector(): Uint8Array {
    if (this.cachedStateVector === undefined) {
      const vector = this.coverage.stateVector()
      // Rooms without content are many; they share one.
      this.cachedStateVector = vector.size === 0 ? EMPTY : encodeStateVector(vector)
    }
    return this.cachedStateVector
  }

  /** Of a document that holds just this; undefined if there is none. */
  digest(): string | undefined {
    this.cachedDigest ??= { value: this.coverage.digest() }
    return this.cachedDigest.value
  }
}

const EMPTY = encodeStateVector(new Map())
