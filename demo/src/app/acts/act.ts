import type { DragEdit } from '../../model/drag.js'
import type { Tone } from '../security/words.js'

/** One thing that an act did, and what came of it. */
export interface ActLine {
  readonly who: string
  readonly words: string
  readonly tone: Tone
}

/** What an act showed: each step, and whether it all went as it must. */
export interface ActResult {
  readonly lines: readonly ActLine[]
  readonly verdict: string
  readonly holds: boolean
  /** A drag and what became of it, to be drawn. */
  readonly drag?: DragPicture
}

/** Times are in milliseconds of `Date.now()`. */
export interface DragPicture {
  readonly edits: readonly DragEdit[]
  readonly killedMs: number | undefined
  readonly takenMs: number | undefined
}
