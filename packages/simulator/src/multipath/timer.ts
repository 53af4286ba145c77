import type { Events } from '../events.js'

/** Something that happens later unless it is cancelled. */
export class Timer {
  isCancelled = false

  constructor(events: Events, afterMs: number, action: () => void) {
    events.after(afterMs, () => {
      if (!this.isCancelled) action()
    })
  }

  cancel(): void {
    this.isCancelled = true
  }
}
