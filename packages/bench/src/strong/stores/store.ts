/** What a compare-and-set compares with; undefined for a key that is not there. */
export type Version = string | undefined

/** One client with a connection of its own, one operation at a time. */
export interface StoreClient {
  /** A linearizable read. */
  read(key: string): Promise<Version>
  compareAndSet(key: string, version: Version, value: string): Promise<Attempt>
  close(): void
}

export type Attempt =
  | { readonly applied: true; readonly version: Version }
  /** `current` where the refusal tells the version that is there now, so that no read is needed. */
  | { readonly applied: false; readonly current?: { readonly version: Version } }

/** Three processes that keep registers, in a fresh directory each. */
export interface Store {
  readonly pids: readonly number[]
  /** A client of the member that is best for the key. */
  client(key: string): Promise<StoreClient>
  stop(): Promise<void>
}
