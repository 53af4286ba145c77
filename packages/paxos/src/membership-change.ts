import { type Configuration, isQuorum, type Member, membersOf } from './configuration.js'
import type { Envelope } from './effects.js'
import { MEMBERS_KEY } from './keys.js'
import type { Installed, Listed } from './messages.js'
import type { Operation, OperationId } from './operations.js'
import type { Outcome } from './outcome.js'

/** How a change of members ended. */
export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly configuration: Configuration }
  /** Another change was decided first, or is under way. Nothing of this one was applied. */
  | { readonly kind: 'other-change'; readonly configuration: Configuration }

/** What a change asks of the member that drives it. */
export interface ChangeEffects {
  readonly send: Envelope[]
  readonly operations: { readonly name: string; readonly key: string; readonly operation: Operation }[]
  outcome: ChangeOutcome | undefined
  /** The configuration that the member has to go on with. */
  configuration: Configuration | undefined
}

const COPIES_AT_ONCE = 64
const RETRY_MS = 200

type Phase =
  | { readonly kind: 'deciding'; readonly configuration: Configuration }
  | { readonly kind: 'installing'; readonly configuration: Configuration; readonly done: Set<string> }
  | { readonly kind: 'copying'; readonly configuration: Configuration }

/**
 * Exchanges members while the keys stay in use. The new configuration is itself decided by a round, so
 * that of two changes only one begins:
 *
 * 1. decide the joint configuration in its register, under the old quorums
 * 2. install it on majorities of the old and of the new members: from here on nothing is decided without both
 * 3. read every key that a majority of the old members lists, in a round under the joint quorums: what the new
 *    ones lack is written to them before the read returns, and they promise as high as any old member has
 * 4. decide the final configuration under the joint quorums, and install it
 *
 * Begun again with the same members, on any member, it goes on where it was left.
 */
export class MembershipChange {
  private phase: Phase
  private retryMs: number
  private readonly cursors = new Map<string, string>()
  private readonly listed = new Set<string>()
  private readonly found = new Set<string>()
  private readonly toCopy: string[] = []
  private readonly copying = new Set<string>()

  constructor(
    nowMs: number,
    /** A new one for each attempt: two changes that one member begins must not be taken for one another. */
    private readonly nextOperation: () => OperationId,
    private readonly members: readonly Member[],
    configuration: Configuration,
  ) {
    this.retryMs = nowMs
    // What is decided already may not have got to those who have to know it.
    const isDecided = configuration.next !== undefined || hasSameMembers(configuration.members, members)
    this.phase = isDecided
      ? { kind: 'installing', configuration, done: new Set() }
      : { kind: 'deciding', configuration: { ...nextEpoch(configuration), next: members } }
  }

  get deadlineMs(): number {
    return this.retryMs
  }

  /** Keys copied, and found so far. */
  get progress(): { readonly copied: number; readonly found: number } {
    return { copied: this.found.size - this.toCopy.length - this.copying.size, found: this.found.size }
  }

  timeout(nowMs: number): ChangeEffects {
    const out = changeEffects()
    if (nowMs < this.retryMs) return out
    this.retryMs = nowMs + RETRY_MS
    switch (this.phase.kind) {
      case 'deciding':
        this.decide(this.phase.configuration, out)
        this.retryMs = Number.POSITIVE_INFINITY
        break
      case 'installing':
        this.install(this.phase.configuration, this.phase.done, out)
        break
      case 'copying':
        this.list(this.phase.configuration, out)
        this.copy(out)
        break
    }
    return out
  }

  installed(nowMs: number, from: string, { epoch }: Installed): ChangeEffects {
    const out = changeEffects()
    if (this.phase.kind !== 'installing' || epoch !== this.phase.configuration.epoch) return out
    const { configuration, done } = this.phase
    done.add(from)
    if (!isQuorum(configuration, done)) return out
    if (configuration.next === undefined) {
      out.outcome = { kind: 'changed', configuration }
      return out
    }
    this.phase = { kind: 'copying', configuration }
    this.retryMs = nowMs
    return out
  }

  listedKeys(nowMs: number, from: string, { epoch, after, keys, isLast }: Listed): ChangeEffects {
    const out = changeEffects()
    if (this.phase.kind !== 'copying' || epoch !== this.phase.configuration.epoch) return out
    if ((this.cursors.get(from) ?? '') !== after) return out
    for (const key of keys) {
      if (this.found.has(key)) continue
      this.found.add(key)
      this.toCopy.push(key)
    }
    if (isLast) this.listed.add(from)
    else this.cursors.set(from, keys.at(-1)!)
    if (!isLast) this.list(this.phase.configuration, out, from)
    this.copy(out)
    this.finishCopy(nowMs)
    return out
  }

  /** An operation that this change asked for has ended. */
  operationEnded(nowMs: number, name: string, outcome: Outcome): ChangeEffects {
    const out = changeEffects()
    if (this.phase.kind === 'deciding') {
      this.decisionEnded(nowMs, this.phase.configuration, outcome, out)
    } else if (this.phase.kind === 'copying' && this.copying.delete(name)) {
      if (outcome.kind !== 'value') this.toCopy.push(name)
      else this.copy(out)
      this.finishCopy(nowMs)
    }
    return out
  }

  /** The member has heard of a newer configuration: someone else was faster, be it with the same change. */
  configured(nowMs: number, configuration: Configuration): ChangeEffects {
    const out = changeEffects()
    if (configuration.epoch > this.phase.configuration.epoch) this.follow(nowMs, configuration, out)
    return out
  }

  private decide(configuration: Configuration, out: ChangeEffects): void {
    const id = this.nextOperation()
    out.operations.push({
      name: 'decide',
      key: MEMBERS_KEY,
      operation: {
        kind: 'write',
        id,
        since: configuration.epoch - 2,
        // What became of an earlier attempt shows in the version.
        settled: id.sequence - 1,
        // The first configuration was not decided but given: epoch 1 belongs to version 0.
        condition: { kind: 'version', version: configuration.epoch - 2 },
        data: JSON.stringify(configuration),
        keepsFence: false,
      },
    })
  }

  private decisionEnded(
    nowMs: number,
    configuration: Configuration,
    outcome: Outcome,
    out: ChangeEffects,
  ): void {
    let decided = configuration
    const isOther = outcome.kind === 'conflict' || outcome.kind === 'forgotten'
    if (isOther && outcome.current.value !== undefined) {
      decided = JSON.parse(outcome.current.value) as Configuration
    } else if (outcome.kind !== 'done') {
      this.retryMs = nowMs + RETRY_MS
      return
    }
    this.follow(nowMs, decided, out)
    if (out.outcome === undefined) out.configuration = decided
  }

  /** Goes on from what was decided, where that is this change. */
  private follow(nowMs: number, decided: Configuration, out: ChangeEffects): void {
    if (!hasSameMembers(decided.next ?? decided.members, this.members)) {
      out.outcome = { kind: 'other-change', configuration: decided }
      return
    }
    this.phase = { kind: 'installing', configuration: decided, done: new Set() }
    this.retryMs = nowMs
  }

  private install(configuration: Configuration, done: ReadonlySet<string>, out: ChangeEffects): void {
    for (const to of membersOf(configuration)) {
      if (!done.has(to)) out.send.push({ to, message: { kind: 'install', configuration } })
    }
  }

  private list(configuration: Configuration, out: ChangeEffects, only?: string): void {
    for (const { id: to } of configuration.members) {
      if (this.listed.has(to) || (only !== undefined && only !== to)) continue
      const after = this.cursors.get(to) ?? ''
      out.send.push({ to, message: { kind: 'list', epoch: configuration.epoch, after } })
    }
  }

  private copy(out: ChangeEffects): void {
    while (this.copying.size < COPIES_AT_ONCE) {
      const key = this.toCopy.shift()
      if (key === undefined) return
      this.copying.add(key)
      // Even where both majorities agree: some old members' promises may be higher than any of the new ones',
      // and an accept under such a ballot still be on its way to a new member that has not joined.
      out.operations.push({ name: key, key, operation: { kind: 'read', takesRound: true } })
    }
  }

  private finishCopy(nowMs: number): void {
    if (this.phase.kind !== 'copying' || this.toCopy.length > 0 || this.copying.size > 0) return
    const { configuration } = this.phase
    if (!isQuorum({ epoch: 0, members: configuration.members }, this.listed)) return
    const { epoch } = nextEpoch(configuration)
    this.phase = { kind: 'deciding', configuration: { epoch, members: this.members } }
    this.retryMs = nowMs
  }
}

export function hasSameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  const names = (members: readonly Member[]) => members.map(({ id, store }) => `${id}\0${store}`).sort()
  return names(a).join('\0\0') === names(b).join('\0\0')
}

function nextEpoch({ epoch, members }: Configuration): Configuration {
  return { epoch: epoch + 1, members }
}

function changeEffects(): ChangeEffects {
  return { send: [], operations: [], outcome: undefined, configuration: undefined }
}
