/** An async iterator over the newest of what is pushed: what nobody has taken when the next comes is dropped. */
export class Latest<T> implements AsyncIterator<T, undefined> {
  private newest: { readonly value: T } | undefined
  private over: { readonly error?: unknown } | undefined
  private waiting: {
    resolve: (result: IteratorResult<T, undefined>) => void
    reject: (error: unknown) => void
  }[] = []

  /** @param onReturn who iterates has had enough */
  constructor(private readonly onReturn: () => void) {}

  push(value: T): void {
    if (this.over !== undefined) return
    const waiting = this.waiting.shift()
    if (waiting === undefined) this.newest = { value }
    else waiting.resolve({ done: false, value })
  }

  /** Nothing more comes; with an error the next `next` rejects. */
  end(over: { readonly error?: unknown } = {}): void {
    if (this.over !== undefined) return
    this.over = over
    const waiting = this.waiting
    this.waiting = []
    for (const { resolve, reject } of waiting) this.settleOver(resolve, reject)
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.newest !== undefined) {
        resolve({ done: false, value: this.newest.value })
        this.newest = undefined
      } else if (this.over !== undefined) this.settleOver(resolve, reject)
      else this.waiting.push({ resolve, reject })
    })
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.newest = undefined
    this.onReturn()
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** The error is told once. */
  private settleOver(
    resolve: (result: IteratorResult<T, undefined>) => void,
    reject: (error: unknown) => void,
  ): void {
    const { over } = this
    if (over !== undefined && 'error' in over) {
      this.over = {}
      reject(over.error)
    } else resolve({ done: true, value: undefined })
  }
}
