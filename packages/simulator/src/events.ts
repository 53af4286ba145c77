interface Event {
  readonly atMs: number
  readonly order: number
  readonly action: () => void
}

/** What is to happen, by virtual time; what is due at the same time happens in the order it was put in. */
export class Events {
  private readonly heap: Event[] = []
  private lastOrder = 0
  nowMs = 0

  after(delayMs: number, action: () => void): void {
    this.at(this.nowMs + delayMs, action)
  }

  at(atMs: number, action: () => void): void {
    const { heap } = this
    const event = { atMs: Math.max(atMs, this.nowMs), order: ++this.lastOrder, action }
    let index = heap.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = event
  }

  /** Does the next thing; false where there is none before `untilMs`. */
  step(untilMs: number): boolean {
    const next = this.heap[0]
    if (next === undefined || next.atMs > untilMs) {
      this.nowMs = Math.max(this.nowMs, untilMs)
      return false
    }
    this.removeFirst()
    this.nowMs = next.atMs
    next.action()
    return true
  }

  private removeFirst(): void {
    const { heap } = this
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
