/**
 * - `closed`: there is no connection
 * - `good`: answers in time
 * - `suspect`: did not answer in time once; what it carries goes over another one, too
 * - `silent`: has still not answered; nothing is sent over it but probes, while there is another one
 */
export type PathState = 'closed' | 'good' | 'suspect' | 'silent'

/** `missed`: an answer did not come in time. `unanswered`: nothing came for as long again. */
export type PathEvent = 'opened' | 'closed' | 'answered' | 'missed' | 'unanswered'

/** What an event makes of a path. */
export const NEXT_STATE: Readonly<Record<PathState, Readonly<Record<PathEvent, PathState>>>> = {
  closed: { opened: 'good', closed: 'closed', answered: 'closed', missed: 'closed', unanswered: 'closed' },
  good: { opened: 'good', closed: 'closed', answered: 'good', missed: 'suspect', unanswered: 'good' },
  suspect: { opened: 'good', closed: 'closed', answered: 'good', missed: 'suspect', unanswered: 'silent' },
  silent: { opened: 'good', closed: 'closed', answered: 'good', missed: 'silent', unanswered: 'silent' },
}
