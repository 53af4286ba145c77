import { compareBallots, formatBallot, type PeerMessage, type Register } from '@skein/paxos'
import { isAncestor, isSameRegister } from '../checks/ancestor.js'
import { Violation } from '../checks/violation.js'

export interface Message {
  readonly from: string
  readonly to: string
  readonly message: PeerMessage
}

export interface Proposal {
  readonly ballot: Parameters<typeof formatBallot>[0]
  readonly register: Register
  isDecided: boolean
}

interface MessageSet {
  /** Ascending. */
  readonly messages: readonly number[]
  readonly added: Map<number, number>
  readonly proposals: readonly Proposal[]
}

/** Sets of messages, by number: many states have the same. What is agreed on depends on the set alone. */
export class SentMessages {
  private readonly messages: Message[] = []
  private readonly messageNumbers = new Map<string, number>()
  private readonly sets: MessageSet[] = []
  private readonly setNumbers = new Map<string, number>()
  readonly empty: number

  constructor(private readonly acceptors: number) {
    this.empty = this.numberOf([])
  }

  message(number: number): Message {
    return this.messages[number]!
  }

  of(set: number): readonly number[] {
    return this.sets[set]!.messages
  }

  proposals(set: number): readonly Proposal[] {
    return this.sets[set]!.proposals
  }

  intern(message: Message): number {
    const name = JSON.stringify(message)
    let number = this.messageNumbers.get(name)
    if (number === undefined) {
      number = this.messages.push(message) - 1
      this.messageNumbers.set(name, number)
    }
    return number
  }

  /** The set with one more message. */
  add(set: number, message: number): number {
    const { added, messages } = this.sets[set]!
    let number = added.get(message)
    if (number === undefined) {
      number = messages.includes(message) ? set : this.numberOf([...messages, message].sort((a, b) => a - b))
      added.set(message, number)
    }
    return number
  }

  private numberOf(messages: readonly number[]): number {
    const name = messages.join()
    let number = this.setNumbers.get(name)
    if (number === undefined) {
      const proposals = this.proposalsAmong(messages)
      expectAgreement(proposals)
      number = this.sets.push({ messages, added: new Map(), proposals }) - 1
      this.setNumbers.set(name, number)
    }
    return number
  }

  private proposalsAmong(messages: readonly number[]): Proposal[] {
    const proposals: Proposal[] = []
    const acceptedBy = new Map<string, Set<string>>()
    for (const number of messages) {
      const { from, message } = this.messages[number]!
      if (message.kind === 'accepted') {
        const name = formatBallot(message.ballot)
        acceptedBy.set(name, (acceptedBy.get(name) ?? new Set()).add(from))
      } else if (message.kind === 'accept') {
        const { ballot, register } = message
        if (proposals.some((other) => other.ballot === ballot && other.register === register)) continue
        proposals.push({ ballot, register, isDecided: false })
      }
    }
    for (const proposal of proposals) {
      proposal.isDecided = (acceptedBy.get(formatBallot(proposal.ballot))?.size ?? 0) * 2 > this.acceptors
    }
    return proposals
  }
}

function expectAgreement(proposals: readonly Proposal[]): void {
  for (const decided of proposals) {
    for (const other of proposals) {
      const order = compareBallots(other.ballot, decided.ballot)
      if (order === 0 && !isSameRegister(other.register, decided.register)) {
        throw new Violation('explorer: one value per ballot', formatBallot(decided.ballot))
      }
      if (!decided.isDecided || order <= 0 || isAncestor(decided.register, other.register)) continue
      const [later, earlier] = [formatBallot(other.ballot), formatBallot(decided.ballot)]
      throw new Violation('explorer: ancestor', `${later} does not come of ${earlier}`)
    }
  }
}
