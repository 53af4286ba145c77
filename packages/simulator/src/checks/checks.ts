import {
  type AcceptorWrite,
  type ChangeOutcome,
  type Configuration,
  type Entry,
  isQuorum,
  type Outcome,
  type ParticipantEffects,
  type PeerMessage,
  type Submission,
} from '@skein/paxos'
import type { Node } from '../node.js'
import { AcceptorCheck } from './acceptor-check.js'
import { KeyCheck } from './key-check.js'
import { KnownOperations } from './known-operations.js'
import { Violation } from './violation.js'
import { WatchCheck } from './watch-check.js'

/** All that is checked while a world runs, as things happen. What breaks a rule throws a `Violation`. */
export class Checks {
  readonly known = new KnownOperations()
  readonly watches = new WatchCheck()
  private readonly acceptors = new AcceptorCheck()
  private readonly keys = new Map<string, KeyCheck>()
  private readonly configurations = new Map<number, string>()

  key(key: string): KeyCheck {
    let check = this.keys.get(key)
    if (check === undefined) {
      check = new KeyCheck(key, this.known)
      this.keys.set(key, check)
    }
    return check
  }

  wrote({ id, disk }: Node, write: AcceptorWrite): void {
    const { configuration } = disk
    if (write.kind === 'record') {
      this.acceptors.wrote(id, write.key, write.record)
      this.holds(id, write.key, disk, configuration)
    } else {
      this.configured(configuration)
      for (const key of disk.allKeys()) this.holds(id, key, disk, configuration)
    }
  }

  sent({ id, life, disk, configuration }: Node, message: PeerMessage): void {
    this.acceptors.sent(id, disk, message)
    if (message.kind === 'prepare') this.key(message.key).attempted(`${id}/${life}`, message.ballot)
    if (message.kind !== 'accept') return
    this.key(message.key).attempted(`${id}/${life}`, message.ballot)
    this.key(message.key).proposed(message.ballot, message.register)
    // The configuration may have changed later in the step that proposed.
    if (message.epoch === configuration.epoch) this.acceptors.proposed(message, configuration)
  }

  /** C8: a request of another epoch changes nothing, and is told nothing but the epoch. */
  received(
    { id, disk }: Node,
    epoch: number,
    from: string,
    message: PeerMessage,
    effects: ParticipantEffects,
  ): void {
    switch (message.kind) {
      case 'prepare':
      case 'accept':
      case 'read':
      case 'list': {
        if (message.epoch === epoch) {
          const isAnswered = effects.send.some(({ message: { kind } }) => kind === 'current')
          if (message.kind !== 'read' || !isAnswered || disk.configuration.epoch === epoch) return
          throw new Violation('on disk first', `${id} answers a read in epoch ${epoch}`)
        }
        const told = effects.send.find((sent) => sent.to === from && sent.message.kind !== 'other-epoch')
        if (effects.persist.length === 0 && told === undefined) return
        throw new Violation('other epoch', `${id} in ${epoch} takes ${message.kind} of ${message.epoch}`)
      }
      default:
        break
    }
  }

  /** M4: a change is over when a majority knows of it. */
  changed({ kind, configuration }: ChangeOutcome, nodes: ReadonlyMap<string, Node>): void {
    const { epoch, members } = configuration
    if (kind !== 'changed') return
    const ids = members.map(({ id }) => id).filter((id) => nodes.get(id)!.disk.configuration.epoch >= epoch)
    if (isQuorum({ epoch, members }, new Set(ids))) return
    throw new Violation('installed', `the change to epoch ${epoch} is over, ${ids.join(' ')} know`)
  }

  learned({ id, life }: Node, key: string, entry: Entry): void {
    this.key(key).told(entry, 'watch')
    this.watches.told(`${id}/${life}`, key, entry)
  }

  /** What a member says has become of an operation. */
  ended({ key, operation }: Omit<Submission, 'deadlineMs'>, outcome: Outcome): void {
    const { versions } = this.key(key)
    switch (outcome.kind) {
      case 'done': {
        if (operation.kind === 'read') throw new Violation('acknowledged', `a read of ${key} is done`)
        const { version, fence } = outcome
        const result = versions.resultOf(operation.id)
        // The result may have been dropped in the very round that made it.
        if (result === undefined && versions.newest.version >= version) return
        if (result?.version === version && result.fence === fence && result.applied) return
        throw new Violation('acknowledged', `${key} v${version} f${fence} is not decided`)
      }
      case 'conflict':
      case 'value':
      case 'aborted':
      case 'forgotten':
        this.key(key).told(outcome.current, 'acknowledged')
        break
      case 'unavailable':
      case 'unknown':
        break
    }
  }

  private holds(id: string, key: string, disk: Node['disk'], configuration: Configuration): void {
    const { accepted, register } = disk.get(key)!
    if (accepted.counter > 0) this.key(key).holds(id, accepted, register, configuration)
  }

  private configured(configuration: Configuration): void {
    const text = JSON.stringify(configuration)
    const known = this.configurations.get(configuration.epoch)
    if (known !== undefined && known !== text) {
      throw new Violation('one configuration per epoch', `${known} and ${text}`)
    }
    this.configurations.set(configuration.epoch, text)
  }
}
