import type * as sync from '@skein/sync'

/** What is under test, given to the world as a value so that an altered copy of it can be tried as well. */
export type SyncModule = Pick<
  typeof sync,
  | 'answerFrames'
  | 'backoffMs'
  | 'ByteBudget'
  | 'Dialer'
  | 'documentDigest'
  | 'documentReplica'
  | 'mergeUpdates'
  | 'MULTIPATH_LIMITS'
  | 'MultipathSession'
  | 'Outbox'
  | 'Room'
  | 'RoomIndex'
>
