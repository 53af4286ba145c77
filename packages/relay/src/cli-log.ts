import { pino } from 'pino'
import type { LogLevel } from './cli-arguments.js'
import { EventThrottle } from './event-throttle.js'
import type { RelayEvent } from './options.js'

/**
 * Logs events as lines of JSON on standard error: `level`, `time`, `kind`, and of `room`, `member`, `code`,
 * `reason` and `err` what there is. Nothing of what a space contains is in an event.
 */
export function createEventLog(level: LogLevel): (event: RelayEvent) => void {
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Not synchronous: a reader of standard error that stalls must not stall the relay.
    pino.destination({ dest: 2, sync: false, maxLength: WAITING_BYTES_MAX }),
  )
  const throttle = new EventThrottle()
  const sumUp = () => {
    for (const sum of throttle.ended(performance.now())) log[LEVELS[sum.kind as RelayEvent['kind']]](sum)
  }
  // The last flood is summed up, too, when nothing comes after it.
  setInterval(sumUp, 1_000).unref()
  return (event) => {
    const eventLevel = LEVELS[event.kind]
    if (!log.isLevelEnabled(eventLevel)) return
    sumUp()
    if (throttle.admit(event.kind, performance.now())) log[eventLevel](fieldsOf(event))
  }
}

/** Bytes that wait for a reader of standard error that stalls; what comes then is lost. */
const WAITING_BYTES_MAX = 1024 * 1024

const LEVELS = {
  'server-failed': 'error',
  'room-failed': 'error',
  'write-failed': 'error',
  'compaction-failed': 'warn',
  'request-failed': 'error',
  'client-closed': 'warn',
  'cluster-formed': 'info',
  'member-connected': 'info',
  'member-disconnected': 'warn',
  'member-refused': 'error',
  'foreign-store': 'error',
  'link-refused': 'error',
  'strong-failed': 'error',
  'connection-opened': 'debug',
  'connection-closed': 'debug',
} as const satisfies Record<RelayEvent['kind'], LogLevel>

function fieldsOf(event: RelayEvent): object {
  if (!('error' in event)) return event
  const { error, ...fields } = event
  return { ...fields, err: error instanceof Error ? error : { message: String(error) } }
}
