import type { StrongAnswer } from '@skein/protocol'
import { NotStrong, StrongMismatch } from './errors.js'
import type { StrongLink } from './link.js'
import { hasPrefix, samePrefixes } from './prefixes.js'

/** What the relay may take to decide, or to tell. */
const DECLARE_MS = 5_000
/** After what the relay could not do for now, it is asked again. */
const AGAIN_MS = 500

export interface DeclarationEvents {
  /** The relay has answered: requests may go to it. */
  ready(): void
  /** These are decided, for good. */
  decided(prefixes: readonly string[]): void
  /** Whether it does not fit may have changed. */
  changed(): void
}

/** Which prefixes are strong: the relays decide, once for a space; what one agent wants is a proposal. */
export class Declaration {
  private refused = false
  private number: number | undefined
  private isOpen = false
  private again: ReturnType<typeof setTimeout> | undefined

  /**
   * @param wanted by this agent; undefined where it takes what is decided
   * @param decidedPrefixes as far as is known; empty where that is not known
   */
  constructor(
    private readonly link: StrongLink,
    private readonly wanted: readonly string[] | undefined,
    private decidedPrefixes: readonly string[],
    private readonly events: DeclarationEvents,
  ) {}

  get prefixes(): readonly string[] {
    return this.isDecided ? this.decidedPrefixes : (this.wanted ?? [])
  }

  get isDecided(): boolean {
    return this.decidedPrefixes.length > 0
  }

  /** What this agent wants is not what is decided. */
  get mismatch(): StrongMismatch | undefined {
    const { wanted } = this
    if (wanted === undefined) return undefined
    if (this.isDecided) {
      return samePrefixes(wanted, this.decidedPrefixes)
        ? undefined
        : new StrongMismatch(wanted, this.decidedPrefixes)
    }
    return this.refused ? new StrongMismatch(wanted, undefined) : undefined
  }

  /** Whether a key is strong; also where only this agent thinks so, for it must not be written as another. */
  isStrong(key: string): boolean {
    return hasPrefix(key, this.decidedPrefixes) || hasPrefix(key, this.wanted ?? [])
  }

  /** Why nothing may be asked about a key. */
  refusal(key: string): NotStrong | StrongMismatch | undefined {
    if (!this.isDecided || hasPrefix(key, this.decidedPrefixes)) return undefined
    return this.isStrong(key) ? this.mismatch : new NotStrong(key, this.prefixes)
  }

  /** A relay takes requests. */
  opened(): void {
    this.isOpen = true
    this.ask(this.wanted ?? [])
  }

  /** Others may have decided meanwhile. */
  refresh(): void {
    if (!this.isDecided && this.number === undefined) this.ask(this.wanted ?? [])
  }

  closed(): void {
    this.isOpen = false
    this.number = undefined
    clearTimeout(this.again)
  }

  /** Returns whether the answer was one to a declaration. */
  answered(number: number, answer: StrongAnswer): boolean {
    if (number !== this.number) return false
    this.number = undefined
    if (answer.kind === 'declared') this.told(answer.prefixes)
    else if (answer.kind === 'refused' && answer.code === 'mismatch' && !this.refused) {
      this.refused = true
      this.events.changed()
      this.ask([])
    } else this.again = setTimeout(() => this.ask(this.refused ? [] : (this.wanted ?? [])), AGAIN_MS)
    return true
  }

  private told(prefixes: readonly string[]): void {
    if (prefixes.length > 0 && !samePrefixes(prefixes, this.decidedPrefixes)) {
      this.decidedPrefixes = [...prefixes].sort()
      this.events.decided(this.decidedPrefixes)
    }
    this.events.changed()
    this.events.ready()
  }

  private ask(prefixes: readonly string[]): void {
    if (!this.isOpen) return
    this.number = this.link.nextNumber()
    const request = { kind: 'declare', deadlineMs: DECLARE_MS, prefixes } as const
    this.link.send({ type: 'strong-request', number: this.number, request })
  }
}
