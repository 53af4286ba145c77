import {
  type Accept,
  type AcceptorRecord,
  type Ballot,
  type Configuration,
  compareBallots,
  formatBallot,
  isQuorum,
  membersOf,
  type PeerMessage,
  ZERO_BALLOT,
} from '@skein/paxos'
import type { Disk } from '../disk.js'
import { Violation } from './violation.js'

interface Floor {
  promised: Ballot
  accepted: Ballot
}

/** C1-C6, C8: what acceptors write and answer. Remembers across restarts, and across the loss of a disk. */
export class AcceptorCheck {
  private readonly floors = new Map<string, Floor>()

  /** A record has reached the disk of a member. */
  wrote(id: string, key: string, { promised, accepted }: AcceptorRecord): void {
    const name = `${id}\0${key}`
    const floor = this.floors.get(name) ?? { promised: ZERO_BALLOT, accepted: ZERO_BALLOT }
    const rise = compareBallots(promised, floor.promised)
    const acceptedRise = compareBallots(accepted, floor.accepted)
    const shown = `${id} ${key}: promised ${formatBallot(floor.promised)} -> ${formatBallot(promised)}, accepted ${formatBallot(floor.accepted)} -> ${formatBallot(accepted)}`
    if (rise < 0 || acceptedRise < 0) throw new Violation('never falls', shown)
    if (rise === 0 && acceptedRise === 0) throw new Violation('strictly above', shown)
    if (acceptedRise > 0 && compareBallots(accepted, floor.promised) < 0) {
      throw new Violation('promise kept', shown)
    }
    if (compareBallots(promised, accepted) < 0) throw new Violation('accept promises', shown)
    this.floors.set(name, { promised, accepted })
  }

  /** P2: an accept is sent under a ballot that a quorum of its epoch has promised; be it that they promised more. */
  proposed({ key, ballot }: Accept, configuration: Configuration): void {
    const promised = membersOf(configuration).filter((id) => {
      const floor = this.floors.get(`${id}\0${key}`)
      return floor !== undefined && compareBallots(floor.promised, ballot) >= 0
    })
    if (isQuorum(configuration, new Set(promised))) return
    const { epoch } = configuration
    const shown = `${key} ${formatBallot(ballot)} in epoch ${epoch}: by ${promised.join(' ')}`
    throw new Violation('promised by a quorum', shown)
  }

  /** A member sends something: an answer may tell only of what is on its disk. */
  sent(id: string, disk: Disk, message: PeerMessage): void {
    switch (message.kind) {
      case 'promised':
        this.expectOnDisk(id, message.kind, message.ballot, disk.get(message.key)?.promised)
        this.expectOnDisk(id, message.kind, message.accepted, disk.get(message.key)?.accepted)
        break
      case 'accepted':
        this.expectOnDisk(id, message.kind, message.ballot, disk.get(message.key)?.accepted)
        break
      case 'refused':
        this.expectOnDisk(id, message.kind, message.promised, disk.get(message.key)?.promised)
        break
      case 'current':
        this.expectOnDisk(id, message.kind, message.accepted, disk.get(message.key)?.accepted)
        break
      case 'installed':
        this.expectEpoch(id, message.epoch, disk)
        break
      case 'other-epoch':
        this.expectEpoch(id, message.configuration.epoch, disk)
        break
      default:
        break
    }
  }

  private expectOnDisk(id: string, kind: string, told: Ballot, onDisk: Ballot = ZERO_BALLOT): void {
    if (compareBallots(told, onDisk) <= 0) return
    throw new Violation(
      'on disk first',
      `${id} answers ${kind} ${formatBallot(told)}, has ${formatBallot(onDisk)} on disk`,
    )
  }

  private expectEpoch(id: string, epoch: number, disk: Disk): void {
    if (epoch <= disk.configuration.epoch) return
    throw new Violation(
      'on disk first',
      `${id} answers epoch ${epoch}, has ${disk.configuration.epoch} on disk`,
    )
  }
}
