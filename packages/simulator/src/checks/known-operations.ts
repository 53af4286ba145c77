import type { OperationId } from '@skein/paxos'

export interface KnownWrite {
  readonly data: string | undefined
  readonly keepsFence: boolean
  /** Its client was told for sure that it has no effect. */
  isRuledOut: boolean
}

/** What clients asked for, by id. Ids are per key. */
export class KnownOperations {
  private readonly writes = new Map<string, KnownWrite>()

  add(key: string, id: OperationId, data: string | undefined, keepsFence: boolean): void {
    this.writes.set(nameOf(key, id), { data, keepsFence, isRuledOut: false })
  }

  get(key: string, id: OperationId): KnownWrite | undefined {
    return this.writes.get(nameOf(key, id))
  }
}

function nameOf(key: string, { client, sequence }: OperationId): string {
  return `${key}\0${client}\0${sequence}`
}
