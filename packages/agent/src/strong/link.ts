import type { StrongRequestMessage } from '@skein/protocol'

/** What the strong region needs of the connection. */
export interface StrongLink {
  /** No connection is wanted, or every relay refuses: nothing can be asked. */
  readonly isOffline: boolean
  /** A number for a request that no other has had. */
  nextNumber(): number
  /** To the relay of the present connection; lost where there is none that takes it. */
  send(message: StrongRequestMessage): void
  /** The relay does not answer in the time that it was given: another had better be asked. */
  silent(): void
}
