import type { Entry, Operation, Outcome } from '@skein/paxos'

/** The strong region as one relay offers it: registers that all relays of the cluster decide together. */
export interface StrongRegion {
  /** For operations that this relay makes itself: unique among all clients, and new at every start. */
  readonly clientId: string
  /**
   * Brings an operation to its outcome. Never rejects for what happens to it: that is in the outcome.
   * @param key of the register, across all spaces
   */
  execute(key: string, operation: Operation, options: ExecuteOptions): Promise<Outcome>
  /**
   * Calls back with each decided value it comes to know, first with the one decided now; versions rise.
   * @returns a function that ends it
   */
  watch(key: string, onEntry: (entry: Entry) => void): () => void
}

export interface ExecuteOptions {
  /** Milliseconds from now; then the outcome is `unavailable` or `unknown`. */
  readonly withinMs: number
  /** Aborted: nobody waits any more, and the outcome comes at once. */
  readonly signal?: AbortSignal
}
