import { isolated } from './isolated.js'
import { sameStatus } from './status.js'
import type { Status } from './types.js'

/** The status as it is read, and as those who asked are told of it: once for all changes of a turn. */
export class StatusBoard {
  private readonly callbacks = new Set<(status: Status) => void>()
  private current: Status | undefined
  /** The one that callbacks were last told. */
  private published: Status | undefined
  private isDue = false

  constructor(private readonly compute: () => Status) {}

  /** The same object as long as nothing changes: callers compare by identity. */
  get status(): Status {
    const status = this.compute()
    if (this.current === undefined || !sameStatus(status, this.current)) this.current = status
    return this.current
  }

  /** What it shows now is nothing to be told. */
  begin(): void {
    this.published = this.status
  }

  /** @returns a function that ends it */
  onStatus(callback: (status: Status) => void): () => void {
    this.callbacks.add(callback)
    return () => this.callbacks.delete(callback)
  }

  /** It may be different. */
  changed(): void {
    if (this.isDue) return
    this.isDue = true
    queueMicrotask(() => {
      if (this.isDue) this.publish()
    })
  }

  /** Tells the last one. */
  end(): void {
    this.publish()
    this.callbacks.clear()
  }

  private publish(): void {
    this.isDue = false
    const { status } = this
    if (status === this.published) return
    this.published = status
    for (const callback of [...this.callbacks]) isolated(() => callback(status))
  }
}
