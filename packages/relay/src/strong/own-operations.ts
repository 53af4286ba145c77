import { type OperationId, PAXOS_LIMITS } from '@skein/paxos'

/**
 * Clients that this relay's own operations are spread over. A register remembers 64 results of each, and
 * as many operations as four have may share a round.
 */
const LANES = PAXOS_LIMITS.operationsPerRoundMax / PAXOS_LIMITS.resultsPerClientMax
/** Keys that something is remembered of. */
const KEYS_MAX = 16_384
/** Operations of a lane on a key whose outcome is unknown, and which may still be asked for. */
const UNKNOWN_MAX = 16

/** What this relay last learned of a key's register. */
export interface KnownState {
  readonly version: number
  readonly hasValue: boolean
}

interface Lane {
  /** Sequences under way, rising. */
  readonly open: Set<number>
  /** Sequences that may still be resolved, rising. */
  readonly unknown: number[]
}

interface KeyState {
  known: KnownState | undefined
  nextLane: number
  readonly lanes: readonly Lane[]
}

/** Numbers the operations that this relay makes itself, and remembers what it takes to do so per key. */
export class OwnOperations {
  private readonly keys = new Map<string, KeyState>()
  private lastSequence = 0

  constructor(private readonly clientId: string) {}

  known(key: string): KnownState | undefined {
    return this.keys.get(key)?.known
  }

  /** The register was seen at this version. Older news changes nothing. */
  learned(key: string, version: number, hasValue: boolean): void {
    const state = this.stateOf(key)
    if (state.known === undefined || state.known.version < version) state.known = { version, hasValue }
  }

  /** A new operation. `ended` has to follow. */
  begin(key: string): { readonly id: OperationId; readonly settled: number } {
    const state = this.stateOf(key)
    const number = state.nextLane
    state.nextLane = (number + 1) % LANES
    const { open, unknown } = state.lanes[number]!
    const sequence = ++this.lastSequence
    const [oldest = sequence] = open
    open.add(sequence)
    const settled = Math.min(oldest, unknown[0] ?? sequence) - 1
    return { id: { client: `${this.clientId}/${number}`, sequence }, settled }
  }

  ended(key: string, id: OperationId, isUnknown: boolean): void {
    const lane = this.laneOf(key, id)
    lane?.open.delete(id.sequence)
    if (lane === undefined || !isUnknown) return
    lane.unknown.push(id.sequence)
    lane.unknown.sort((a, b) => a - b)
    if (lane.unknown.length > UNKNOWN_MAX) lane.unknown.shift()
  }

  /** What became of an operation was told; it is not asked for again. */
  resolved(key: string, id: OperationId): void {
    const unknown = this.laneOf(key, id)?.unknown
    const place = unknown?.indexOf(id.sequence) ?? -1
    if (place >= 0) unknown!.splice(place, 1)
  }

  private laneOf(key: string, { client }: OperationId): Lane | undefined {
    const lane = /\/(\d)$/.exec(client)
    if (lane === null || !client.startsWith(this.clientId)) return undefined
    return this.keys.get(key)?.lanes[Number(lane[1])]
  }

  private stateOf(key: string): KeyState {
    const known = this.keys.get(key)
    if (known !== undefined) return known
    if (this.keys.size >= KEYS_MAX) this.forgetOne()
    const lanes = Array.from({ length: LANES }, () => ({ open: new Set<number>(), unknown: [] }))
    const state: KeyState = { known: undefined, nextLane: 0, lanes }
    this.keys.set(key, state)
    return state
  }

  /** One of the keys that came first; those where something is under way move to the end. */
  private forgetOne(): void {
    let tries = 64
    for (const [key, state] of this.keys) {
      this.keys.delete(key)
      if (state.lanes.every(({ open }) => open.size === 0)) return
      this.keys.set(key, state)
      if (--tries === 0) return
    }
  }
}
