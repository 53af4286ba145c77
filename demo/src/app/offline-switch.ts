import type { Space } from '@skein/agent'
import { createSource, type Source } from './hooks/source.js'

/** The in-app switch that cuts this agent off, other tabs included. */
export interface OfflineSwitch {
  readonly isOff: Source<boolean>
  set(off: boolean): void
}

export function createOfflineSwitch(space: Space, startsOff: boolean): OfflineSwitch {
  let off = startsOff
  let tell = () => {}
  return {
    isOff: createSource(
      () => off,
      (changed) => {
        tell = changed
      },
    ),
    set(next) {
      off = next
      if (off) space.disconnect()
      else space.connect()
      tell()
    },
  }
}
