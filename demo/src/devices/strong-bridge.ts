import type { Space, StrongEntry, StrongRegion } from '@skein/agent'
import { guardedByLatchKey } from '../model/guarded.js'
import { latchPrefix } from '../model/keys.js'
import { latchesInForce } from '../model/latches.js'
import { readTarget, targetValue } from '../model/target.js'
import type { GuardedDevice } from './guarded-device.js'

type State = Pick<Space, 'entries' | 'observe'>
type Region = Pick<StrongRegion, 'watch' | 'compareAndSet'>

/** A watch that ended is begun again after this pause. */
const WATCH_AGAIN_MS = 1_000
/** The write that follows an expired unlock is only for the books; the door is locked already. */
const REVERT_DEADLINE_MS = 5_000

/**
 * Couples guarded devices with the strong region and with the latches. Only decided values reach a
 * device, each with its fence; what the device makes of them, the other bridge reports.
 */
export class StrongBridge {
  readonly #state: State
  readonly #region: Region
  readonly #devices: readonly GuardedDevice[]
  readonly #now: () => number
  readonly #versions = new Map<GuardedDevice, number>()
  readonly #endObserving: () => void
  #ended = false

  constructor(state: State, region: Region, devices: readonly GuardedDevice[], now: () => number) {
    this.#state = state
    this.#region = region
    this.#devices = devices
    this.#now = now
    for (const device of devices) {
      this.#latch(device)
      void this.#watch(device)
    }
    this.#endObserving = state.observe('latch/', ({ key }) => {
      const guarded = guardedByLatchKey(key)
      for (const device of devices) if (device.guarded === guarded) this.#latch(device)
    })
  }

  /** Writes back where a device went to its safe state by itself; to be called now and then. */
  writeBack(): void {
    for (const device of this.#devices) if (device.takeReverted()) void this.#writeBack(device)
  }

  end(): void {
    this.#ended = true
    this.#endObserving()
  }

  async #watch(device: GuardedDevice): Promise<void> {
    while (!this.#ended) {
      try {
        for await (const entry of this.#region.watch(device.guarded.strongKey)) {
          if (this.#ended) return
          this.#decided(device, entry)
        }
      } catch {
        // The region is out of reach, or does not take the watch yet; the device keeps its state.
      }
      await new Promise((resolve) => setTimeout(resolve, WATCH_AGAIN_MS))
    }
  }

  #decided(device: GuardedDevice, { value, version, fence }: StrongEntry): void {
    this.#versions.set(device, version)
    const target = readTarget(device.guarded, value)
    if (target) device.decided(target, fence, this.#now())
    this.#latch(device)
  }

  #latch(device: GuardedDevice): void {
    const entries = this.#state.entries(latchPrefix(device.entity))
    const inForce = latchesInForce(entries, device.lifted)
    device.latch(inForce.length > 0, this.#now())
  }

  async #writeBack(device: GuardedDevice): Promise<void> {
    const { guarded } = device
    const value = targetValue(guarded, guarded.safe, 'Timer', device.lifted, this.#now())
    try {
      await this.#region.compareAndSet(
        guarded.strongKey,
        { ifVersion: this.#versions.get(device) ?? 0 },
        value,
        { deadlineMs: REVERT_DEADLINE_MS },
      )
    } catch {
      // Somebody decided anew, or there is no quorum; the device is in its safe state either way.
    }
  }
}
