import type { Entry } from '@skein/paxos'
import { Violation } from './violation.js'

/** W2: versions that a watcher is told rise. */
export class WatchCheck {
  private readonly told_ = new Map<string, number>()

  told(watcher: string, key: string, { version }: Entry): void {
    const name = `${watcher}\0${key}`
    const last = this.told_.get(name)
    if (last !== undefined && version <= last) {
      throw new Violation('watch', `${watcher} is told v${version} of ${key} after v${last}`)
    }
    this.told_.set(name, version)
  }

  /** What it was told last; undefined where nothing yet. */
  last(watcher: string, key: string): number | undefined {
    return this.told_.get(`${watcher}\0${key}`)
  }
}
