import {
  type Ballot,
  type Configuration,
  compareBallots,
  type Entry,
  formatBallot,
  isQuorum,
  type Register,
} from '@skein/paxos'
import { isAncestor, isSameRegister } from './ancestor.js'
import type { KnownOperations } from './known-operations.js'
import { VersionCheck } from './version-check.js'
import { Violation } from './violation.js'

interface Held {
  readonly ballot: Ballot
  readonly register: Register
  readonly epoch: number
  readonly holders: Set<string>
  isDecided: boolean
}

/**
 * One key, seen from above all members: what was proposed, what is on which disk, and so what is decided,
 * which no member can know as early.
 */
export class KeyCheck {
  readonly versions: VersionCheck
  private readonly proposals = new Map<string, Register>()
  private readonly lastProposed = new Map<string, Ballot>()
  private readonly held = new Map<string, Held>()

  constructor(
    readonly key: string,
    known: KnownOperations,
  ) {
    this.versions = new VersionCheck(key, known)
  }

  /** A proposer begins an attempt, or sends it again. */
  attempted(life: string, ballot: Ballot): void {
    const last = this.lastProposed.get(life)
    if (last !== undefined && compareBallots(ballot, last) < 0) {
      throw new Violation(
        'ballots rise',
        `${life} ${this.key}: ${formatBallot(ballot)} after ${formatBallot(last)}`,
      )
    }
    this.lastProposed.set(life, ballot)
  }

  proposed(ballot: Ballot, register: Register): void {
    const name = formatBallot(ballot)
    const before = this.proposals.get(name)
    if (before === undefined) this.proposals.set(name, register)
    else if (!isSameRegister(before, register)) {
      throw new Violation(
        'one value per ballot',
        `${this.key} ${name}: ${show(before)} and ${show(register)}`,
      )
    }
  }

  /** This is what a member's disk has, in this epoch: it was accepted, or brought along from the epoch before. */
  holds(id: string, ballot: Ballot, register: Register, configuration: Configuration): void {
    this.proposed(ballot, register)
    const { epoch } = configuration
    const name = `${formatBallot(ballot)}@${epoch}`
    let held = this.held.get(name)
    if (held === undefined) {
      held = { ballot, register, epoch, holders: new Set(), isDecided: false }
      this.held.set(name, held)
      for (const other of this.held.values()) if (other.isDecided) this.expectAncestor(other, held)
    }
    held.holders.add(id)
    if (held.isDecided || !isQuorum(configuration, held.holders)) return
    held.isDecided = true
    for (const other of this.held.values()) this.expectAncestor(held, other)
    this.versions.decided(register)
  }

  /** An operation was told what is decided. */
  told(entry: Entry, check: string): void {
    this.versions.expect(entry, check)
  }

  /** Of accepts in an older epoch nothing is known: their acceptor has been left behind. */
  private expectAncestor(decided: Held, other: Held): void {
    if (other.epoch < decided.epoch || compareBallots(other.ballot, decided.ballot) <= 0) return
    if (isAncestor(decided.register, other.register)) return
    throw new Violation(
      'ancestor',
      `${this.key}: ${formatBallot(other.ballot)} ${show(other.register)} of epoch ${other.epoch} does not come of decided ${formatBallot(decided.ballot)} ${show(decided.register)} of epoch ${decided.epoch}`,
    )
  }
}

export function show({ version, fence, data }: Register): string {
  return `v${version} f${fence} ${data === undefined ? 'nothing' : JSON.stringify(data)}`
}
