import type { Receipt, Tier } from './types.js'

/** What a receipt asks its space. */
export interface ReceiptSource {
  hasReached(tier: Tier, edit: number): boolean
  durable(tier: Tier, edit: number, signal: AbortSignal | undefined): Promise<void>
}

const SAFEST_FIRST: readonly Tier[] = ['quorum', 'relay', 'local']

/** @param edit the number of the edit in the outbox */
export function receiptFor<T>(source: ReceiptSource, edit: number, result: T): Receipt<T> {
  return {
    result,
    get reached() {
      return SAFEST_FIRST.find((tier) => source.hasReached(tier, edit))
    },
    durable: (tier, { signal } = {}) => source.durable(tier, edit, signal),
  }
}
