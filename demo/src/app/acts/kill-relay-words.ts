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
  readonly kill: Kill | undefined
  /** The first switch to another path after it. */
  readonly taken: PathSwitch | undefined
  /** How often the dragging agent was gone from the list of those present, as the witness has it. */
  readonly vanished: number
  /** In the end both replicas have the same digest. */
  readonly same: boolean
}

export interface Kill {
  /** The relay that this agent went over. */
  readonly victim: string
  /** The relay that the witness went over at that moment. */
  readonly witnessOver: string | undefined
  /** When the order was given; the process died a few milliseconds later. */
  readonly atMs: number
}

export function linesOf(seen: Witnessed, nameOf: (url: string) => string): ActResult {
  const { record, kill, taken, vanished, same } = seen
  const count = record.edits.length
  const tookMs = taken && kill ? taken.at - kill.atMs : undefined
  const kept = record.acknowledgedCount === count && record.slowestArrivalMs !== undefined && same
  const quick =
    tookMs !== undefined && tookMs <= WITHIN_MS && record.longestSilenceMs(kill?.atMs) <= WITHIN_MS
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
      arrivalLine(seen),
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
    drag: { edits: record.edits, killedMs: kill?.atMs, takenMs: taken?.at },
    holds,
    verdict: holds
      ? `Another path after ${milliseconds(tookMs)}, and none of ${count} edits is lost.`
      : kept && !quick
        ? 'Nothing is lost, but it took longer than a second.'
        : 'Not as it must be; see the lines above.',
  }
}

function killLine({ record, kill }: Witnessed): ActLine {
  const who = 'Relay of this agent'
  if (!kill) return { who, words: 'not killed yet', tone: 'wait' }
  const at = record.edits.filter(({ madeMs }) => madeMs <= kill.atMs).length
  return { who, words: `${kill.victim}: kill -9 ordered at edit ${at}`, tone: 'refuse' }
}

/** The witness is in this page, so both ends of the way are on one clock. */
function arrivalLine({ record, kill }: Witnessed): ActLine {
  const { slowestArrivalMs } = record
  const silenceMs = record.longestSilenceMs(kill?.atMs)
  const all = slowestArrivalMs === undefined ? 'not all there yet' : `has all${atMost(slowestArrivalMs)}`
  return {
    who: kill?.witnessOver === undefined ? 'Another agent' : `Another agent, over ${kill.witnessOver}`,
    words: kill ? `${all}; since the kill it heard nothing for ${milliseconds(silenceMs)} at most` : all,
    tone: slowestArrivalMs !== undefined && silenceMs <= WITHIN_MS ? 'agree' : 'wait',
  }
}

function atMost(ms: number | undefined): string {
  return ms === undefined ? '' : `, each within ${milliseconds(ms)}`
}
