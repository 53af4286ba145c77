import { type Ballot, compareBallots, maxBallot, ZERO_BALLOT } from './ballot.js'
import type { Configuration } from './configuration.js'
import { compareKeys } from './keys.js'
import { PAXOS_LIMITS } from './limits.js'
import type { Accept, List, Prepare, Read, Reply, Request } from './messages.js'
import { EMPTY_REGISTER, type Register } from './register.js'

/** What an acceptor keeps of one key, for ever. */
export interface AcceptorRecord {
  /** Never falls. */
  readonly promised: Ballot
  /** Never falls. The zero ballot: nothing was accepted yet. */
  readonly accepted: Ballot
  readonly register: Register
}

/** What the disk holds. Reading does not change it, and does not see writes that are under way. */
export interface AcceptorStore {
  get(key: string): AcceptorRecord | undefined
  /** Keys behind `after` in the order of `compareKeys`, at most `limit`. */
  keys(after: string, limit: number): readonly string[]
}

/** To be put on disk in the order of `number`. Several share a flush. */
export type AcceptorWrite = { readonly number: number } & (
  | { readonly kind: 'record'; readonly key: string; readonly record: AcceptorRecord }
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
)

export interface AcceptorEffects {
  readonly persist: readonly AcceptorWrite[]
  readonly replies: readonly AddressedReply[]
}

export interface AddressedReply {
  readonly to: string
  readonly reply: Reply
}

const NOTHING: AcceptorEffects = Object.freeze({ persist: [], replies: [] })

/**
 * Promises and accepts. An answer that tells of something not yet on disk is held here until `persisted`
 * says that it is: there is no way to send it earlier.
 */
export class Acceptor {
  /** Records that are being written, by key, and the number of the last write of each. */
  private readonly writing = new Map<string, { readonly number: number; readonly record: AcceptorRecord }>()
  private held: { readonly number: number; readonly to: string; readonly reply: Reply }[] = []
  private lastNumber = 0
  private persistedNumber = 0
  /** The write of the newest configuration. */
  private installNumber = 0

  constructor(
    private current: Configuration,
    private readonly store: AcceptorStore,
  ) {}

  /** The newest known, which may not be on disk yet. */
  get configuration(): Configuration {
    return this.current
  }

  /** What it has of a key, writes under way included. */
  record(key: string): AcceptorRecord {
    return this.writing.get(key)?.record ?? this.store.get(key) ?? EMPTY_RECORD
  }

  receive(from: string, request: Request): AcceptorEffects {
    switch (request.kind) {
      case 'commit':
        return NOTHING
      case 'install':
        return this.install(from, request.configuration)
      case 'prepare':
      case 'accept':
      case 'read':
      case 'list':
        if (request.epoch !== this.current.epoch) return this.refuseEpoch(from)
        return this.answer(from, request)
    }
  }

  /** Everything up to this number is on disk. */
  persisted(number: number): AcceptorEffects {
    this.persistedNumber = number
    const replies = this.held.filter((held) => held.number <= number)
    this.held = this.held.filter((held) => held.number > number)
    for (const [key, write] of this.writing) {
      if (write.number <= number) this.writing.delete(key)
    }
    return { persist: [], replies }
  }

  private answer(from: string, request: Prepare | Accept | Read | List): AcceptorEffects {
    switch (request.kind) {
      case 'prepare':
        return this.prepare(from, request)
      case 'accept':
        return this.accept(from, request)
      case 'read':
        return this.read(from, request)
      case 'list':
        return this.list(from, request)
    }
  }

  private prepare(from: string, { key, ballot }: Prepare): AcceptorEffects {
    const record = this.record(key)
    const { promised, accepted, register } = record
    if (compareBallots(ballot, promised) <= 0 || compareBallots(ballot, accepted) <= 0) {
      return this.refuse(from, key, ballot, record)
    }
    return this.write(key, { ...record, promised: ballot }, from, {
      kind: 'promised',
      key,
      ballot,
      accepted,
      register,
    })
  }

  private accept(from: string, { key, ballot, register, next }: Accept): AcceptorEffects {
    const record = this.record(key)
    const reply: Reply = { kind: 'accepted', key, ballot }
    // Said again to a proposer that did not hear it; one ballot never has two values.
    if (compareBallots(ballot, record.accepted) === 0) return this.reply(from, key, reply)
    if (compareBallots(ballot, record.promised) < 0 || compareBallots(ballot, record.accepted) <= 0) {
      return this.refuse(from, key, ballot, record)
    }
    const promised = maxBallot(maxBallot(record.promised, ballot), next)
    return this.write(key, { promised, accepted: ballot, register }, from, reply)
  }

  private read(from: string, { key, round, known }: Read): AcceptorEffects {
    const { accepted, register } = this.record(key)
    const isKnown = compareBallots(accepted, known) === 0
    return this.reply(from, key, {
      kind: 'current',
      key,
      round,
      accepted,
      register: isKnown ? undefined : register,
    })
  }

  private list(from: string, { epoch, after }: List): AcceptorEffects {
    // What is being written is not in the store's keys yet: say it after all of it is.
    const limit = PAXOS_LIMITS.keysPerPageMax
    const writing = [...this.writing.keys()].filter((key) => compareKeys(key, after) > 0)
    const all = [...new Set([...this.store.keys(after, limit + 1), ...writing])].sort(compareKeys)
    const keys = all.slice(0, limit)
    const isLast = all.length <= limit
    return this.hold(this.lastNumber, from, { kind: 'listed', epoch, after, keys, isLast })
  }

  private install(from: string, configuration: Configuration): AcceptorEffects {
    const { epoch } = this.current
    if (configuration.epoch < epoch) return this.refuseEpoch(from)
    const reply: Reply = { kind: 'installed', epoch: configuration.epoch }
    if (configuration.epoch === epoch) return this.hold(this.lastNumber, from, reply)
    this.current = configuration
    const number = ++this.lastNumber
    this.installNumber = number
    return {
      persist: [{ number, kind: 'configuration', configuration }],
      replies: this.hold(number, from, reply).replies,
    }
  }

  private refuse(from: string, key: string, ballot: Ballot, record: AcceptorRecord): AcceptorEffects {
    const promised = maxBallot(record.promised, record.accepted)
    return this.reply(from, key, { kind: 'refused', key, ballot, promised })
  }

  private refuseEpoch(from: string): AcceptorEffects {
    return this.hold(this.lastNumber, from, { kind: 'other-epoch', configuration: this.current })
  }

  private write(key: string, record: AcceptorRecord, to: string, reply: Reply): AcceptorEffects {
    const number = ++this.lastNumber
    this.writing.set(key, { number, record })
    return {
      persist: [{ number, kind: 'record', key, record }],
      replies: this.hold(number, to, reply).replies,
    }
  }

  /** Tells what is known of a key, when that is on disk, and the epoch too in which it is told. */
  private reply(to: string, key: string, reply: Reply): AcceptorEffects {
    return this.hold(Math.max(this.writing.get(key)?.number ?? 0, this.installNumber), to, reply)
  }

  private hold(number: number, to: string, reply: Reply): AcceptorEffects {
    if (number <= this.persistedNumber) return { persist: [], replies: [{ to, reply }] }
    this.held.push({ number, to, reply })
    return NOTHING
  }
}

const EMPTY_RECORD: AcceptorRecord = Object.freeze({
  promised: ZERO_BALLOT,
  accepted: ZERO_BALLOT,
  register: EMPTY_REGISTER,
})
