import type { Tier } from './types.js'

interface Waiter {
  readonly tier: Tier
  readonly edit: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Who waits for which edit to reach which tier. */
export class DurabilityWaiters {
  private readonly waiters = new Set<Waiter>()

  /** Waits for all edits up to this number. Rejects with the signal's reason when it aborts. */
  add(tier: Tier, edit: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const end = (settle: () => void) => {
        this.waiters.delete(waiter)
        signal?.removeEventListener('abort', abort)
        settle()
      }
      const waiter: Waiter = {
        tier,
        edit,
        resolve: () => end(resolve),
        reject: (error) => end(() => reject(error)),
      }
      const abort = () => waiter.reject(signal?.reason)
      signal?.addEventListener('abort', abort)
      this.waiters.add(waiter)
    })
  }

  settle(tier: Tier, reached: (edit: number) => boolean): void {
    for (const waiter of this.waiters) if (waiter.tier === tier && reached(waiter.edit)) waiter.resolve()
  }

  /** Edits from this number on will not reach the tier. */
  rejectFrom(tier: Tier, edit: number, error: unknown): void {
    for (const waiter of this.waiters) if (waiter.tier === tier && waiter.edit >= edit) waiter.reject(error)
  }

  rejectAll(error: unknown): void {
    for (const waiter of this.waiters) waiter.reject(error)
  }
}
