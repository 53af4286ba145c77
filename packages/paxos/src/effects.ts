import type { PeerMessage } from './messages.js'
import type { Outcome } from './outcome.js'
import type { Entry } from './register.js'

export interface Envelope {
  readonly to: string
  readonly message: PeerMessage
}

/** What a proposer wants done. Collected while an input is worked on. */
export interface ProposerEffects {
  readonly send: Envelope[]
  readonly outcomes: { readonly token: number; readonly outcome: Outcome }[]
  /** Decided values that it has come to know, to be told to watchers. */
  readonly learned: { readonly key: string; readonly entry: Entry }[]
}

export function proposerEffects(): ProposerEffects {
  return { send: [], outcomes: [], learned: [] }
}
