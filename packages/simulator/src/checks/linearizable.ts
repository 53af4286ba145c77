/** What was asked of one register, when, and what came of it. */
export interface HistoryOperation {
  /** Any numbers that rise with time; no two of a history are the same. */
  readonly invoked: number
  /** Undefined: nobody knows what became of it; it may have had its effect at any time since, or never. */
  readonly returned: number | undefined
  readonly call: HistoryCall
  /** Undefined: it had its effect, but what it was told says nothing, or it never returned. */
  readonly result: HistoryResult | undefined
}

export type HistoryCall =
  | { readonly kind: 'read' }
  | { readonly kind: 'set'; readonly value: string; readonly condition?: HistoryCondition | undefined }
  | { readonly kind: 'delete'; readonly condition?: HistoryCondition | undefined }
  /** Raises the version and leaves the value: an operation was given up for good. */
  | { readonly kind: 'touch' }

export type HistoryCondition =
  | { readonly version: number }
  | { readonly fence: number }
  | 'absent'
  | 'present'

export type HistoryResult =
  /** Of a write: it was applied and made this version. */
  | { readonly kind: 'done'; readonly version: number }
  /** Of a write: its condition did not hold; what was there instead. */
  | { readonly kind: 'conflict'; readonly version: number; readonly value: string | undefined }
  /** Of a read. */
  | { readonly kind: 'value'; readonly version: number; readonly value: string | undefined }

interface State {
  readonly version: number
  readonly value: string | undefined
}

/**
 * Whether the operations on one register can be put in one order that explains what each was told, and in
 * which none comes before another that had returned before it was invoked. Starts from version 0 without a
 * value. Conditions on fences are not modelled: such a write may be applied or not.
 *
 * Wing and Gong (1993) with Lowe's memory of what was tried (Testing for linearizability, 2016).
 */
export function checkLinearizable(history: readonly HistoryOperation[]): boolean {
  const operations = [...history].sort((a, b) => a.invoked - b.invoked)
  return search(operations)
}

function search(operations: readonly HistoryOperation[]): boolean {
  const count = operations.length
  const told = whatVersionsAreTold(operations)
  if (told === undefined) return false
  const isPlaced = new Uint8Array(count)
  const tried = new Set<string>()
  let mustReturn = operations.filter(({ returned }) => returned !== undefined).length

  /** What was invoked before the first return among the rest can come next. */
  const limit = (): number => {
    let firstReturn = Number.POSITIVE_INFINITY
    for (let i = 0; i < count; i++) {
      const { invoked, returned } = operations[i]!
      if (invoked > firstReturn) break
      if (isPlaced[i] === 0 && returned !== undefined && returned < firstReturn) firstReturn = returned
    }
    return firstReturn
  }

  const place = (index: number, value: 0 | 1): void => {
    isPlaced[index] = value
    if (operations[index]!.returned !== undefined) mustReturn += value === 1 ? -1 : 1
  }

  /** Takes what changes nothing and fits at once: no order gets worse by it. Returns what it took. */
  const placeReaders = (state: State): readonly number[] => {
    const placed: number[] = []
    for (let i = 0, until = limit(); i < count && operations[i]!.invoked <= until; i++) {
      if (isPlaced[i] === 1 || !isReader(operations[i]!) || apply(state, operations[i]!) === undefined)
        continue
      place(i, 1)
      placed.push(i)
      until = limit()
      i = -1
    }
    return placed
  }

  const visit = (state: State): boolean => {
    const readers = placeReaders(state)
    if (visitWriters(state)) return true
    for (const index of readers) place(index, 0)
    return false
  }

  const visitWriters = (state: State): boolean => {
    if (mustReturn === 0) return true
    const name = `${state.version}|${state.value === undefined ? '' : `=${state.value}`}|${isPlaced.join('')}`
    if (tried.has(name)) return false
    tried.add(name)
    // Nobody can be told of this version any more once there is a newer one.
    if (told[state.version]?.readers.some((index) => isPlaced[index] === 0)) return false
    const next = told[state.version + 1]
    const until = limit()
    for (let i = 0; i < count && operations[i]!.invoked <= until; i++) {
      if (isPlaced[i] === 1 || isReader(operations[i]!)) continue
      if (next?.writer !== undefined && next.writer !== i) continue
      const after = apply(state, operations[i]!)
      if (after === undefined || (next?.isSeen && next.value !== after.value)) continue
      place(i, 1)
      if (visit(after)) return true
      place(i, 0)
    }
    return false
  }
  return visit({ version: 0, value: undefined })
}

interface Told {
  /** Who was told to have made the version. */
  writer: number | undefined
  /** Who was told that it was there. */
  readonly readers: number[]
  isSeen: boolean
  value: string | undefined
}

/** By version. Undefined where two were told what cannot both be true. */
function whatVersionsAreTold(operations: readonly HistoryOperation[]): Told[] | undefined {
  const versions: Told[] = []
  for (const [index, { result, returned }] of operations.entries()) {
    if (result === undefined || returned === undefined) continue
    versions[result.version] ??= { writer: undefined, readers: [], isSeen: false, value: undefined }
    const told = versions[result.version]!
    if (result.kind === 'done') {
      if (told.writer !== undefined) return undefined
      told.writer = index
    } else {
      if (told.isSeen && told.value !== result.value) return undefined
      told.isSeen = true
      told.value = result.value
      told.readers.push(index)
    }
  }
  return versions
}

function isReader({ call, result }: HistoryOperation): boolean {
  return call.kind === 'read' || result?.kind === 'conflict' || result?.kind === 'value'
}

/** The state an operation leads to; undefined where it cannot have been told what it was told. */
function apply(state: State, { call, result }: HistoryOperation): State | undefined {
  if (result?.kind === 'value' || result?.kind === 'conflict') {
    if (state.version !== result.version || state.value !== result.value) return undefined
    if (result.kind === 'value') return state
    const isConditional = call.kind === 'set' || call.kind === 'delete'
    return isConditional && holds(state, call.condition) !== true ? state : undefined
  }
  if (call.kind === 'read') return state
  const version = state.version + 1
  if (result?.kind === 'done' && result.version !== version) return undefined
  if (call.kind === 'touch') return { version, value: state.value }
  // One that is open and does not hold now has no effect now: leaving it out says the same.
  if (holds(state, call.condition) === false) return undefined
  return { version, value: call.kind === 'set' ? call.value : undefined }
}

/** Undefined where it cannot be told. */
function holds({ version, value }: State, condition: HistoryCondition | undefined): boolean | undefined {
  if (condition === undefined) return true
  if (condition === 'absent') return value === undefined
  if (condition === 'present') return value !== undefined
  return 'version' in condition ? condition.version === version : undefined
}
