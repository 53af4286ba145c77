import type { PathSwitch } from '@skein/agent'
import type { DragRecord } from '../../model/drag.js'
import { switchInWords } from '../../model/path-words.js'
import { milliseconds } from '../security/words.js'
import type { ActLine, ActResult } from './act.js'

/** What the act promises. */
const WITHIN_MS = 1_000

/** What was seen of the drag, so far. */
export interface Witnessed {
  readonly record: DragRecord
  /** The relay that is killed. */
  readonly victim: string
  /** When the order to kill it was given; it died a few milliseconds later. */
  readonly killedMs: number | undefined
  /** The switch to another path after it. */
  readonly taken: PathSwitch | undefined
  /** How often the dragging agent was gone from the list of those present, as the witness has it. */
  readonly vanished: number
  /** In the end both replicas have the same digest. */
  readonly same: boolean
}

export function linesOf(seen: Witnessed, nameOf: (url: string) => string): ActResult {
  const { record, killedMs, taken, vanished, same } = seen
  const count = record.edits.length
  const tookMs = taken && killedMs !== undefined ? taken.at - killedMs : undefined
  const kept = record.acknowledgedCount === count && record.slowestArrivalMs !== undefined && same
  const quick = tookMs !== undefined && tookMs <= WITHIN_MS && record.longestSilenceMs <= WITHIN_MS
  const holds = kept && quick && vanished === 0
  return {
    lines: [
      killLine(seen),
      {
        who: 'Path of this agent',
        words: taken
          ? `${switchInWords(taken, nameOf)} ${milliseconds(tookMs)} after the order`
          : 'no other one has taken over yet',
        tone: tookMs !== undefined && tookMs <= WITHIN_MS ? 'agree' : 'wait',
      },
      arrivalLine(record),
      {
        who: 'On a relay’s disk',
        words: `${record.acknowledgedCount} of ${count} edits${atMost(record.slowestAcknowledgementMs)}`,
        tone: record.acknowledgedCount === count ? 'agree' : 'wait',
      },
      {
        who: 'In the end',
        words: `${same ? 'equal digests' : 'digests not equal yet'}; ${
          vanished === 0 ? 'this agent was present all the time' : `this agent seemed gone ${vanished} times`
        }`,
        tone: same && vanished === 0 ? 'agree' : 'wait',
      },
    ],
    drag: { edits: record.edits, killedMs, takenMs: taken?.at },
    holds,
    verdict: holds
      ? `Another path after ${milliseconds(tookMs)}, and none of ${count} edits is lost.`
      : kept && !quick
        ? 'Nothing is lost, but it took longer than a second.'
        : 'Not as it must be; see the lines above.',
  }
}

function killLine({ record, victim, killedMs }: Witnessed): ActLine {
  const at = record.edits.filter(({ madeMs }) => killedMs !== undefined && madeMs <= killedMs).length
  return {
    who: `Relay ${victim}`,
    words: killedMs === undefined ? 'is next' : `kill -9 ordered at edit ${at}`,
    tone: 'refuse',
  }
}

/** The witness is in this page, so both ends of the way are on one clock. */
function arrivalLine(record: DragRecord): ActLine {
  const { slowestArrivalMs, longestSilenceMs } = record
  return {
    who: 'Another agent, over another relay',
    words: `${slowestArrivalMs === undefined ? 'not all there yet' : `has all${atMost(slowestArrivalMs)}`}; heard nothing for ${milliseconds(longestSilenceMs)} at most`,
    tone: slowestArrivalMs !== undefined && longestSilenceMs <= WITHIN_MS ? 'agree' : 'wait',
  }
}

function atMost(ms: number | undefined): string {
  return ms === undefined ? '' : `, each within ${milliseconds(ms)}`
}
