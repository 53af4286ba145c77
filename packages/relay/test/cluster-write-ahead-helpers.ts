import { cpSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { AcceptorRecord } from '@skein/paxos'
import { onTestFinished } from 'vitest'
import { type LatestWrites, type StoredWrite, slotOf } from '../src/cluster/write-ahead/batch.js'
import { BLOCK_BYTES } from '../src/cluster/write-ahead/frame.js'
import { openWriteAhead, type WriteAheadOptions } from '../src/cluster/write-ahead/open-write-ahead.js'
import { SEGMENT_FILES } from '../src/cluster/write-ahead/segment.js'
import type { WriteAhead } from '../src/cluster/write-ahead/write-ahead.js'
import { temporaryDirectory } from './helpers.js'

export const RELAY_ID = '7d3b1f0e-5a3c-4f19-9a55-0d5c1c7d1d11'

export function recordOf(version: number, data = `v${version}`): AcceptorRecord {
  const ballot = { counter: version, proposer: 'r1', incarnation: 1 }
  return {
    promised: ballot,
    accepted: ballot,
    register: { version, fence: version, data, clients: [], forgotten: 0 },
  }
}

export function recordWrite(key: string, version: number, data?: string): StoredWrite {
  return { kind: 'record', key, record: recordOf(version, data) }
}

export function configurationWrite(epoch: number): StoredWrite {
  return { kind: 'configuration', configuration: { epoch, members: [{ id: 'r1', store: 's1' }] } }
}

/** Write-ahead files over a store that is a map. */
export class Ahead {
  static async open(store = new StoreBehind(), directory = temporaryDirectory(), options = {}) {
    const opened = new Ahead(store, directory)
    await opened.start(options)
    return opened
  }

  writeAhead!: WriteAhead

  private constructor(
    readonly store: StoreBehind,
    readonly directory: string,
  ) {}

  private async start(options: WriteAheadOptions): Promise<void> {
    const { store, directory } = this
    this.writeAhead = await openWriteAhead(
      { path: directory, relayId: RELAY_ID },
      store.appliedNumber,
      (writes, number) => store.checkpoint(writes, number),
      { segmentBytes: 8 * BLOCK_BYTES, ...options },
    )
    onTestFinished(() => this.writeAhead.close())
  }

  write(...writes: StoredWrite[]): Promise<void> {
    return this.writeAhead.append(() => writes)
  }

  /** All that can be read. */
  get state(): LatestWrites {
    const state = new Map(this.store.writes)
    for (const slot of new Set(['', ...this.writeAhead.keys()])) {
      const write = this.writeAhead.get(slot)
      if (write !== undefined) state.set(slot, write)
    }
    return state
  }

  /** In short, for messages that can be read: `key@version`, and how long the data are. */
  get summary(): string {
    return summaryOf(this.state)
  }

  /** What a crash leaves, in a directory of its own. */
  async crashed(): Promise<{ store: StoreBehind; directory: string }> {
    const directory = temporaryDirectory()
    copyFiles(this.directory, directory)
    return { store: this.store.copy(), directory }
  }
}

export function summaryOf(writes: LatestWrites): string {
  const words = [...writes.values()].map((write) => {
    if (write.kind === 'configuration') return `configuration@${write.configuration.epoch}`
    return `${write.key}@${write.record.register.version}/${write.record.register.data?.length}`
  })
  return words.sort().join(' ')
}

/** Stands for LMDB. */
export class StoreBehind {
  writes: LatestWrites = new Map()
  appliedNumber: number | undefined
  /** Called before a checkpoint is stored. */
  before: () => Promise<void> = async () => {}

  async checkpoint(writes: Iterable<StoredWrite>, appliedNumber: number): Promise<void> {
    const all = [...writes]
    await this.before()
    for (const write of all) this.writes.set(slotOf(write), write)
    this.appliedNumber = appliedNumber
  }

  copy(): StoreBehind {
    const copy = new StoreBehind()
    copy.writes = new Map(this.writes)
    copy.appliedNumber = this.appliedNumber
    return copy
  }
}

export function copyFiles(from: string, to: string): void {
  // The lock of a relay that runs is a socket, and that of LMDB is made anew.
  const filter = (source: string) => !lstatSync(source).isSocket() && path.basename(source) !== 'lock.mdb'
  cpSync(from, to, { recursive: true, filter })
}

export function segmentOf(directory: string, index: 0 | 1): Buffer {
  return readFileSync(path.join(directory, SEGMENT_FILES[index]))
}

export function putSegment(directory: string, index: 0 | 1, bytes: Uint8Array): void {
  writeFileSync(path.join(directory, SEGMENT_FILES[index]), bytes)
}
