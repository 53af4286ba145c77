import type * as sync from '@skein/sync'

/** What is under test, given to the world as a value so that an altered copy of it can be tried as well. */
export interface SchedulerModule {
  readonly PathScheduler: typeof sync.PathScheduler
}

export type PathScheduler = sync.PathScheduler
