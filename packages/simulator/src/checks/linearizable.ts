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
  const isPlaced = new Uint8Array(count)
  const tried = new Set<string>()
  let mustReturn = operations.filter(({ returned }) => returned !== undefined).length
  const visit = (state: State): boolean => {
    if (mustReturn === 0) return true
    const name = `${state.version}|${state.value ?? ''}|${state.value === undefined}|${isPlaced.join('')}`
    if (tried.has(name)) return false
    tried.add(name)
    // Only what was invoked before the first return among the rest can come next.
    let firstReturn = Number.POSITIVE_INFINITY
    for (let i = 0; i < count; i++) {
      if (isPlaced[i] === 0) firstReturn = Math.min(firstReturn, operations[i]!.returned ?? firstReturn)
    }
    for (let i = 0; i < count; i++) {
      const operation = operations[i]!
      if (operation.invoked > firstReturn) break
      if (isPlaced[i] === 1) continue
      for (const next of apply(state, operation)) {
        isPlaced[i] = 1
        if (operation.returned !== undefined) mustReturn--
        if (visit(next)) return true
        isPlaced[i] = 0
        if (operation.returned !== undefined) mustReturn++
      }
    }
    return false
  }
  return visit({ version: 0, value: undefined })
}

/** The states an operation can lead to; none where it cannot have been told what it was told. */
function apply(state: State, { call, result }: HistoryOperation): readonly State[] {
  if (result?.kind === 'value' || result?.kind === 'conflict') {
    const isSeen = state.version === result.version && state.value === result.value
    if (!isSeen) return NONE
    if (result.kind === 'value') return [state]
    return call.kind === 'read' || call.kind === 'touch' || holds(state, call.condition) === true
      ? NONE
      : [state]
  }
  if (call.kind === 'read') return [state]
  const version = state.version + 1
  if (result?.kind === 'done' && result.version !== version) return NONE
  if (call.kind === 'touch') return [{ version, value: state.value }]
  const isApplied = holds(state, call.condition)
  // One that is open and does not hold now has no effect now: leaving it out says the same.
  if (isApplied === false) return NONE
  return [{ version, value: call.kind === 'set' ? call.value : undefined }]
}

/** Undefined where it cannot be told. */
function holds({ version, value }: State, condition: HistoryCondition | undefined): boolean | undefined {
  if (condition === undefined) return true
  if (condition === 'absent') return value === undefined
  if (condition === 'present') return value !== undefined
  return 'version' in condition ? condition.version === version : undefined
}

const NONE: readonly State[] = []
