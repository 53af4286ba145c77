import type { Ballot } from './ballot.js'
import type { Configuration } from './configuration.js'
import type { Register } from './register.js'

/** What a proposer asks of an acceptor. */
export type Request = RegisterRequest | Commit | Install | List

/** A request about one key, valid in one epoch only. */
export type RegisterRequest = Prepare | Accept | Read

export interface Prepare {
  readonly kind: 'prepare'
  readonly epoch: number
  readonly key: string
  readonly ballot: Ballot
}

export interface Accept {
  readonly kind: 'accept'
  readonly epoch: number
  readonly key: string
  readonly ballot: Ballot
  readonly register: Register
  /** Promised together with the acceptance, for the proposer's next write; higher than `ballot`. */
  readonly next: Ballot
}

export interface Read {
  readonly kind: 'read'
  readonly epoch: number
  readonly key: string
  /** Which of the proposer's reads this is; the answer says it again. */
  readonly round: number
  /** A register accepted under this ballot need not be sent. */
  readonly known: Ballot
}

/** The value accepted under this ballot is decided. Not answered. */
export interface Commit {
  readonly kind: 'commit'
  readonly key: string
  readonly ballot: Ballot
}

/** Takes over a configuration of a higher epoch. */
export interface Install {
  readonly kind: 'install'
  readonly configuration: Configuration
}

/** Asks for the keys of which the acceptor has anything, in ascending order. */
export interface List {
  readonly kind: 'list'
  readonly epoch: number
  /** Only keys behind this one; '' for all. */
  readonly after: string
}

/** What an acceptor answers. It is not to be had before what it says is on disk. */
export type Reply = Promised | Accepted | Refused | ReadReply | OtherEpoch | Installed | Listed

export interface Promised {
  readonly kind: 'promised'
  readonly key: string
  readonly ballot: Ballot
  /** Under which it accepted `register`; the zero ballot where it accepted nothing. */
  readonly accepted: Ballot
  readonly register: Register
}

export interface Accepted {
  readonly kind: 'accepted'
  readonly key: string
  readonly ballot: Ballot
}

/** To prepare or accept: it has promised or accepted a ballot that stands against this one. */
export interface Refused {
  readonly kind: 'refused'
  readonly key: string
  readonly ballot: Ballot
  readonly promised: Ballot
}

export interface ReadReply {
  readonly kind: 'current'
  readonly key: string
  readonly round: number
  readonly accepted: Ballot
  /** Undefined where `accepted` is the ballot that the proposer knows. */
  readonly register: Register | undefined
}

/** The request was of another epoch; the acceptor did nothing. */
export interface OtherEpoch {
  readonly kind: 'other-epoch'
  readonly configuration: Configuration
}

export interface Installed {
  readonly kind: 'installed'
  readonly epoch: number
}

export interface Listed {
  readonly kind: 'listed'
  /** In which it was asked: keys listed in an older one may not be all any more. */
  readonly epoch: number
  readonly after: string
  readonly keys: readonly string[]
  readonly isLast: boolean
}

/** What members say to each other. */
export type PeerMessage = Request | Reply
