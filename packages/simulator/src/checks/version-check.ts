import type { Entry, OperationId, Register, StoredResult } from '@skein/paxos'
import type { KnownOperations } from './known-operations.js'
import { Violation } from './violation.js'

interface Version {
  readonly id: OperationId
  readonly applied: boolean
  readonly fence: number
  /** Undefined where nobody can tell: made by an operation that is not a client's. */
  readonly entry: Entry | undefined
}

/** The versions of a key as they were decided: who made each, under which fence, with which value. */
export class VersionCheck {
  private readonly versions: (Version | undefined)[] = []
  private readonly byOperation = new Map<string, StoredResult>()
  /** The newest that is decided. */
  newest: Entry = { value: undefined, version: 0, fence: 0 }

  constructor(
    private readonly key: string,
    private readonly known: KnownOperations,
  ) {}

  decided(register: Register): void {
    const results = register.clients
      .flatMap(({ client, results }) => results.map((result) => ({ client, result })))
      .sort((a, b) => a.result.version - b.result.version)
    for (const { client, result } of results) this.made({ client, sequence: result.sequence }, result)
    const { version, fence, data: value } = register
    this.expect({ version, fence, value }, 'versions')
    if (version > this.newest.version) this.newest = { version, fence, value }
  }

  /** Whether an operation was applied, as far as anything decided shows. */
  resultOf({ client, sequence }: OperationId): StoredResult | undefined {
    return this.byOperation.get(`${client}\0${sequence}`)
  }

  /** Someone was told this entry: it has to be decided. */
  expect({ version, fence, value }: Entry, check: string): void {
    const entry = version === 0 ? { version, fence: 0, value: undefined } : this.versions[version]?.entry
    if (entry === undefined) {
      if (version <= Math.max(this.newest.version, this.versions.length - 1)) return
      throw new Violation(check, `${this.key} v${version} is not decided; newest is v${this.newest.version}`)
    }
    if (entry.fence === fence && entry.value === value) return
    throw new Violation(
      check,
      `${this.key} v${version} is f${entry.fence} ${entry.value}, not f${fence} ${value}`,
    )
  }

  private made(id: OperationId, result: StoredResult): void {
    const { version, fence, applied } = result
    const name = `${id.client}\0${id.sequence}`
    const earlier = this.byOperation.get(name)
    const shown = `${this.key} v${version} f${fence} by ${id.client}#${id.sequence}`
    if (earlier !== undefined) {
      if (earlier.version === version && earlier.applied === applied) return
      throw new Violation(
        'at most once',
        `${shown}, which was v${earlier.version} ${applied ? '' : 'given up'} already`,
      )
    }
    this.byOperation.set(name, result)
    const there = this.versions[version]
    if (there !== undefined) {
      throw new Violation('versions', `${shown} was made by ${there.id.client}#${there.id.sequence}`)
    }
    const before =
      version === 1 ? { version: 0, fence: 0, value: undefined } : this.versions[version - 1]?.entry
    const write = this.known.get(this.key, id)
    if (applied && write?.isRuledOut)
      throw new Violation('unavailable', `${shown}, which was told not to be applied`)
    const rises = applied && write !== undefined && !write.keepsFence
    if (before !== undefined && write !== undefined && fence !== before.fence + (rises ? 1 : 0)) {
      throw new Violation('fence', `${shown} after f${before.fence}`)
    }
    const value = applied ? write?.data : before?.value
    const isTold = applied ? write !== undefined : before !== undefined
    this.versions[version] = { id, applied, fence, entry: isTold ? { version, fence, value } : undefined }
  }
}
