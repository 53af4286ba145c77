/** What members agree on for one key. Treated as immutable. */
export interface Register {
  /**
   * How often it was changed; 0 where it never was. Never falls, and no two values share one. To give an
   * operation up is a change, too, though not of `data`.
   */
  readonly version: number
  /**
   * The fencing token: it rises with every write but a lease's renewal, so it names who may act now. A
   * resource that has seen a fence refuses lower ones.
   */
  readonly fence: number
  /** The application's value as text; undefined where there is none, be it deleted or never written. */
  readonly data: string | undefined
  /** What became of recent operations, by client, the one that wrote longest ago first. */
  readonly clients: readonly ClientRecord[]
  /** The version at which a client was last dropped from `clients`; 0 where none ever was. */
  readonly forgotten: number
}

/** What is remembered of one client's operations, so that a repeated one is not applied again. */
export interface ClientRecord {
  readonly client: string
  /** Operations up to this sequence are settled or forgotten; results of some may still be there. */
  readonly settled: number
  /** By rising version. */
  readonly results: readonly StoredResult[]
}

export interface StoredResult {
  readonly sequence: number
  /** False: it was given up by `resolve` and will never be applied. */
  readonly applied: boolean
  /** The register's right after the operation. */
  readonly version: number
  readonly fence: number
}

/** A register as its users see it. */
export interface Entry {
  readonly value: string | undefined
  readonly version: number
  readonly fence: number
}

export const EMPTY_REGISTER: Register = Object.freeze({
  version: 0,
  fence: 0,
  data: undefined,
  clients: [],
  forgotten: 0,
})

export function entryOf({ data, version, fence }: Register): Entry {
  return { value: data, version, fence }
}
