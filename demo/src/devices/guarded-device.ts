import type { Json } from '@skein/agent'
import type { Guarded } from '../model/guarded.js'
import type { EntityId } from '../model/keys.js'
import { type Cleared, readCleared } from '../model/latches.js'
import type { Target } from '../model/target.js'
import type { SimulatedDevice } from './device.js'
import { FenceGate } from './fence.js'

/** A bolt, a valve or a panel takes about this long. */
const MOVE_MS = 220

/**
 * Lock, valve or alarm panel. It takes its target from the strong region alone, under the rules of its
 * {@link FenceGate}; a latch holds it in its safe state, and no target gets past that.
 */
export class GuardedDevice implements SimulatedDevice {
  readonly guarded: Guarded
  readonly state: Record<string, Json>
  readonly #gate = new FenceGate()
  #target: string
  #latched = false
  #reverted = false
  #due: { state: string; at: number } | undefined
  /** When the unsafe state ends by itself, by this device's own clock. */
  #revertAt: number | undefined

  constructor(guarded: Guarded) {
    this.guarded = guarded
    this.state = { state: guarded.safe, fence: 0, refused: '', lifted: '{}' }
    this.#target = guarded.safe
  }

  get entity(): EntityId {
    return this.guarded.entity
  }

  restore(field: string, value: Json): void {
    if (field === 'fence' && typeof value === 'number') {
      this.#gate.restore(value)
      this.state.fence = value
    }
    if (field === 'refused' || field === 'lifted') this.state[field] = value
    if (field !== 'state' || typeof value !== 'string') return
    this.state.state = value
    if (this.guarded.targets.includes(value)) this.#target = value
    // How long it was open already nobody knows, so it was long enough.
    if (value === this.guarded.unsafe && this.guarded.revertMs !== undefined) this.#revertAt = 0
  }

  /**
   * The latches that the decision in effect has lifted. Reported, so that after a restart without a quorum
   * a latch of last week does not sound the alarm again.
   */
  get lifted(): Cleared {
    try {
      return readCleared(JSON.parse(String(this.state.lifted)))
    } catch {
      return {}
    }
  }

  /** Nothing under `desired/` moves a guarded device. */
  command(): void {}

  /** The strong region decided on a target. One that the device refuses lifts no latches either. */
  decided(target: Target, fence: number, now: number): void {
    const { unsafe, revertMs } = this.guarded
    const isUnsafe = target.state === unsafe
    // An unsafe command without a last moment is taken for one whose moment has passed.
    const verdict = this.#gate.judge({ fence, until: isUnsafe ? (target.until ?? 0) : undefined }, now)
    this.state.fence = this.#gate.highest
    if (verdict === 'known') return
    if (verdict !== 'take') {
      const why = verdict === 'expired' ? 'it came too late' : `fence ${this.#gate.highest} was here before`
      this.state.refused = `${target.state} with fence ${fence}: ${why}`
      return
    }
    this.state.refused = ''
    this.state.lifted = JSON.stringify(target.cleared)
    this.#target = target.state
    this.#revertAt = isUnsafe && revertMs !== undefined ? now + revertMs : undefined
    this.#move(now)
  }

  /** Whether any latch holds the device now. */
  latch(inForce: boolean, now: number): void {
    if (inForce === this.#latched) return
    this.#latched = inForce
    this.#move(now)
  }

  /** True once after the unsafe state has ended by itself, so that the strong key can be told. */
  takeReverted(): boolean {
    const reverted = this.#reverted
    this.#reverted = false
    return reverted
  }

  advance(now: number): void {
    if (this.#revertAt !== undefined && now >= this.#revertAt) {
      this.#revertAt = undefined
      this.#target = this.guarded.safe
      this.#reverted = true
      this.#move(now)
    }
    if (!this.#due || this.#due.at > now) return
    this.state.state = this.#due.state
    this.#due = undefined
  }

  #move(now: number): void {
    const state = this.#latched ? this.guarded.latched : this.#target
    this.#due = state === this.state.state ? undefined : { state, at: now + MOVE_MS }
  }
}
