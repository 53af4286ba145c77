/** One position of a slider that is dragged. Times in milliseconds of one clock. */
export interface DragEdit {
  readonly value: number
  readonly madeMs: number
  /** When the own agent knew that it is on a relay's disk. */
  readonly acknowledgedMs: number | undefined
  /** When another agent had it, or one made after it: later ones contain what was before. */
  readonly arrivedMs: number | undefined
}

/** What became of the positions of a drag in which no value occurs twice. */
export class DragRecord {
  #edits: DragEdit[] = []
  readonly #arrivals: number[] = []

  get edits(): readonly DragEdit[] {
    return this.#edits
  }

  made(value: number, atMs: number): void {
    this.#edits.push({ value, madeMs: atMs, acknowledgedMs: undefined, arrivedMs: undefined })
  }

  acknowledged(value: number, atMs: number): void {
    this.#edits = this.#edits.map((edit) =>
      edit.value === value ? { ...edit, acknowledgedMs: edit.acknowledgedMs ?? atMs } : edit,
    )
  }

  /** Values that are none of the drag's, as somebody else may set them meanwhile, are left out. */
  arrived(value: unknown, atMs: number): void {
    const at = this.#edits.findIndex((edit) => edit.value === value)
    if (at < 0) return
    this.#arrivals.push(atMs)
    this.#edits = this.#edits.map((edit, index) =>
      index <= at ? { ...edit, arrivedMs: edit.arrivedMs ?? atMs } : edit,
    )
  }

  /** Edits that are known to be on a relay's disk. */
  get acknowledgedCount(): number {
    return this.#edits.filter(({ acknowledgedMs }) => acknowledgedMs !== undefined).length
  }

  /** The longest that an edit took from being made to being at the other agent; undefined while one is missing. */
  get slowestArrivalMs(): number | undefined {
    return slowest(this.#edits, ({ arrivedMs }) => arrivedMs)
  }

  get slowestAcknowledgementMs(): number | undefined {
    return slowest(this.#edits, ({ acknowledgedMs }) => acknowledgedMs)
  }

  /** The longest time that the other agent heard nothing of the drag while it went on, of those that end after `fromMs`. */
  longestSilenceMs(fromMs = Number.NEGATIVE_INFINITY): number {
    return this.#arrivals.reduce((longest, atMs, index) => {
      return index === 0 || atMs <= fromMs ? longest : Math.max(longest, atMs - this.#arrivals[index - 1]!)
    }, 0)
  }
}

function slowest(
  edits: readonly DragEdit[],
  end: (edit: DragEdit) => number | undefined,
): number | undefined {
  const took = edits.map((edit) => (end(edit) ?? Number.NaN) - edit.madeMs)
  return took.some(Number.isNaN) || took.length === 0 ? undefined : Math.max(...took)
}
