/**
 * A set of Yjs ids, kept as ranges: per client ascending, neither overlapping nor touching. Appending at
 * a client's end, which is what live editing does, costs one comparison.
 */
export class RangeSet {
  /** Per client: start, end, start, end, ... (ends excluded). */
  private readonly bounds = new Map<number, number[]>()

  clients(): Iterable<number> {
    return this.bounds.keys()
  }

  /** Adds `[clock, clock + length)`; true if any of it was new. */
  add(client: number, clock: number, length: number): boolean {
    const end = clock + length
    const bounds = this.bounds.get(client)
    if (bounds === undefined) {
      this.bounds.set(client, [clock, end])
      return true
    }
    const last = bounds[bounds.length - 1]!
    if (clock === last) {
      bounds[bounds.length - 1] = end
      return true
    }
    if (clock > last) {
      bounds.push(clock, end)
      return true
    }
    return insert(bounds, clock, end)
  }

  /**
   * Adds many ranges of a client: start, end, start, end, ..., ascending. True if any of it was new.
   * One pass over both lists, because one insertion after the other into a long list takes seconds.
   */
  addAll(client: number, added: readonly number[]): boolean {
    const bounds = this.bounds.get(client)
    if (added.length <= FEW_BOUNDS) {
      let anyNew = false
      for (let i = 0; i < added.length; i += 2) {
        if (this.add(client, added[i]!, added[i + 1]! - added[i]!)) anyNew = true
      }
      return anyNew
    }
    const before = bounds ?? []
    const merged = union(before, added)
    this.bounds.set(client, merged)
    return merged.length !== before.length || merged.some((bound, i) => bound !== before[i])
  }

  /** Whether all of `[clock, clock + length)` is in the set. */
  has(client: number, clock: number, length: number): boolean {
    const bounds = this.bounds.get(client)
    if (bounds === undefined) return false
    const i = firstEndAtLeast(bounds, clock + length)
    return i < bounds.length && bounds[i]! <= clock
  }

  /** Whether a client has ranges that do not begin where the one before ends, or at 0. */
  hasGap(client: number): boolean {
    const bounds = this.bounds.get(client)
    return bounds !== undefined && (bounds.length > 2 || bounds[0] !== 0)
  }

  /** All of it as `[clock, length]`. */
  asDeleteSet(): Map<number, [clock: number, length: number][]> {
    const set = new Map<number, [number, number][]>()
    for (const [client, bounds] of this.bounds) {
      const ranges: [number, number][] = []
      for (let i = 0; i < bounds.length; i += 2) ranges.push([bounds[i]!, bounds[i + 1]! - bounds[i]!])
      set.set(client, ranges)
    }
    return set
  }

  /** The first clock of a client that is not in the set, counted from 0. */
  contiguous(client: number): number {
    const bounds = this.bounds.get(client)
    return bounds !== undefined && bounds[0] === 0 ? bounds[1]! : 0
  }
}

/** Up to here one insertion after the other is cheaper than a pass over everything. */
const FEW_BOUNDS = 16

/** The union of two ascending lists of ranges, neither overlapping nor touching. */
function union(a: readonly number[], b: readonly number[]): number[] {
  const result: number[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const fromA = j >= b.length || (i < a.length && a[i]! <= b[j]!)
    const start = fromA ? a[i]! : b[j]!
    const end = fromA ? a[i + 1]! : b[j + 1]!
    if (fromA) i += 2
    else j += 2
    const last = result.length - 1
    if (last >= 0 && start <= result[last]!) result[last] = Math.max(result[last]!, end)
    else result.push(start, end)
  }
  return result
}

/** Adds a range that starts before the last one's end; true if any of it was new. */
function insert(bounds: number[], clock: number, end: number): boolean {
  const first = firstEndAtLeast(bounds, clock)
  if (bounds[first]! <= clock && bounds[first + 1]! >= end) return false
  let behind = first
  while (behind < bounds.length && bounds[behind]! <= end) behind += 2
  const merged =
    behind === first ? [clock, end] : [Math.min(clock, bounds[first]!), Math.max(end, bounds[behind - 1]!)]
  bounds.splice(first, behind - first, ...merged)
  return true
}

/** The index of the first range whose end is at least `clock`; the length of the list if there is none. */
function firstEndAtLeast(bounds: readonly number[], clock: number): number {
  let low = 0
  let high = bounds.length / 2
  while (low < high) {
    const middle = (low + high) >>> 1
    if (bounds[middle * 2 + 1]! < clock) low = middle + 1
    else high = middle
  }
  return low * 2
}
