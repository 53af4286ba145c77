/** What a register shows: `data` as JSON text, undefined where there is none or none any more. */
export interface Seen {
  readonly data: string | undefined
  /** Undefined where the answer does not tell, as a 404 does not. */
  readonly version: number | undefined
}

export type Condition =
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'present' }

export type Action =
  | { readonly kind: 'read' }
  /** Sets; without `data`, deletes. */
  | { readonly kind: 'write'; readonly data: string | undefined; readonly condition?: Condition }
  /** What settling an operation as never applied does: a version without a change. */
  | { readonly kind: 'touch' }

export type Ending =
  | { readonly kind: 'value'; readonly seen: Seen }
  | { readonly kind: 'done'; readonly version: number; readonly fence: number }
  | { readonly kind: 'conflict'; readonly seen: Seen }
  /** Nobody knows whether it was, or will be, applied. */
  | { readonly kind: 'open' }

/** One operation as its client saw it, in all its attempts. Those that were certainly not applied are left out. */
export interface Operation {
  readonly client: string
  readonly action: Action
  readonly calledMs: number
  /** Infinity for one that is open. */
  readonly returnedMs: number
  readonly ending: Ending
}

/**
 * Looks for an order of the operations on one key that explains all that clients were told: each takes
 * effect at one moment between its call and its return, an open one at any moment after its call or never.
 * Versions rise by one with each write, so that only open writes leave a choice.
 * @returns undefined where there is such an order, else how far the search came
 */
export function unexplained(operations: readonly Operation[]): string | undefined {
  const twice = claimedTwice(operations)
  if (twice !== undefined) return twice
  const search = new Search(operations)
  return search.explains() ? undefined : search.complaint
}

interface State {
  readonly version: number
  readonly fence: number
  readonly data: string | undefined
}

/** A point of the search: what is in the register, and what has still to be explained. */
interface Point {
  readonly state: State
  readonly told: readonly Operation[]
  readonly open: readonly Operation[]
}

class Search {
  private readonly seen = new Set<string>()
  private furthest = -1
  complaint = ''

  constructor(private readonly operations: readonly Operation[]) {}

  explains(): boolean {
    const told = this.operations.filter(({ ending }) => ending.kind !== 'open')
    const open = this.operations.filter((operation) => isOpenChange(operation))
    const points: Point[] = [{ state: { version: 0, fence: 0, data: undefined }, told, open }]
    for (let point = points.pop(); point !== undefined; point = points.pop()) {
      const next = this.from(point)
      if (next === 'explained') return true
      for (const { state, told, open } of next) {
        const name = `${state.version} ${state.data} ${told.length} ${open.map((o) => this.operations.indexOf(o))}`
        if (this.seen.has(name)) continue
        this.seen.add(name)
        points.push({ state, told, open })
      }
    }
    return false
  }

  private from({ state, told: before, open }: Point): 'explained' | Point[] {
    const told = withoutObservers(before, state)
    if (told.length === 0) return 'explained'
    const firstReturnMs = Math.min(...told.map(({ returnedMs }) => returnedMs))
    const mayBeNext = (operation: Operation) => operation.calledMs <= firstReturnMs
    const claims = told.find(({ ending }) => ending.kind === 'done' && ending.version === state.version + 1)
    if (claims !== undefined && claims.action.kind === 'write' && claims.ending.kind === 'done') {
      const { fence } = claims.ending
      if (mayBeNext(claims) && holds(claims.action.condition, state) && fence > state.fence) {
        const after = { version: state.version + 1, fence, data: claims.action.data }
        return [{ state: after, told: told.filter((operation) => operation !== claims), open }]
      }
      this.complain(state, told, 'the write of the next version cannot be next')
      return []
    }
    this.complain(state, told, 'nothing that is open can be next')
    return withOneTouch(open.filter(mayBeNext)).flatMap((operation): Point[] => {
      const data = dataAfter(operation.action, state)
      if (data === 'refused') return []
      // Its own fence is not known; the next one that is told must be above that of before in any case.
      const after = { version: state.version + 1, fence: state.fence, data: data.data }
      return [{ state: after, told, open: open.filter((other) => other !== operation) }]
    })
  }

  private complain(state: State, told: readonly Operation[], why: string): void {
    if (state.version <= this.furthest) return
    this.furthest = state.version
    const first = told.toSorted((a, b) => a.returnedMs - b.returnedMs).slice(0, 5)
    this.complaint =
      `with version ${state.version}, data ${state.data}, ${why}; ` +
      `${told.length} operations are unexplained, the first to return:\n${first.map(line).join('\n')}`
  }
}

/** Takes out all that may take effect now and change nothing: there is no better time for them. */
function withoutObservers(told: readonly Operation[], state: State): readonly Operation[] {
  for (let rest = told; ; ) {
    const firstReturnMs = Math.min(...rest.map(({ returnedMs }) => returnedMs))
    const kept = rest.filter(
      (operation) => operation.calledMs > firstReturnMs || !isObserverOf(operation, state),
    )
    if (kept.length === rest.length) return kept
    rest = kept
  }
}

function isObserverOf({ action, ending }: Operation, state: State): boolean {
  if (ending.kind !== 'value' && ending.kind !== 'conflict') return false
  const { version, data } = ending.seen
  if (data !== state.data || (version !== undefined && version !== state.version)) return false
  return ending.kind === 'value' || (action.kind === 'write' && !holds(action.condition, state))
}

function holds(condition: Condition | undefined, { version, data }: State): boolean {
  switch (condition?.kind) {
    case undefined:
      return true
    case 'version':
      return version === condition.version
    case 'absent':
      return data === undefined
    case 'present':
      return data !== undefined
  }
}

function isOpenChange({ action, ending }: Operation): boolean {
  return ending.kind === 'open' && action.kind !== 'read'
}

/** What may be next stays so, and touches are all the same: which of them it is makes no difference. */
function withOneTouch(open: readonly Operation[]): readonly Operation[] {
  const touch = open.find(({ action }) => action.kind === 'touch')
  return open.filter((operation) => operation.action.kind !== 'touch' || operation === touch)
}

function dataAfter(action: Action, state: State): 'refused' | { readonly data: string | undefined } {
  switch (action.kind) {
    case 'read':
      return 'refused'
    case 'touch':
      return { data: state.data }
    case 'write':
      return holds(action.condition, state) ? { data: action.data } : 'refused'
  }
}

function claimedTwice(operations: readonly Operation[]): string | undefined {
  const byVersion = new Map<number, Operation>()
  for (const operation of operations) {
    if (operation.ending.kind !== 'done') continue
    const { version } = operation.ending
    const other = byVersion.get(version)
    if (other !== undefined) return `version ${version} was told twice:\n${line(other)}\n${line(operation)}`
    byVersion.set(version, operation)
  }
  return undefined
}

function line({ client, action, calledMs, returnedMs, ending }: Operation): string {
  return `  ${client} ${calledMs.toFixed(1)} to ${returnedMs.toFixed(1)}: ${JSON.stringify(action)} -> ${JSON.stringify(ending)}`
}
