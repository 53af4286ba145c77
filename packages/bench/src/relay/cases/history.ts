import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Arena } from '../arena.js'
import { type Case, defineCase } from '../case.js'
import { ColdJoin } from '../cold-join.js'
import type { Contender } from '../contender.js'
import type { Histories } from '../history/histories.js'
import { clocksOf, type History, TEXT } from '../history/history.js'
import { BLOB_FILE } from '../servers/blob.js'
import { Writer } from '../writer.js'

export const HISTORIES = [
  historyCase('long text', ({ written }) => written),
  historyCase('100,000 deletions', ({ churned }) => churned),
]

const ROOM = 'history'

/** A history comes in as the single updates it was made of; then somebody joins, and again after a restart. */
function historyCase(name: string, choose: (histories: Histories) => History): Case {
  return defineCase({
    name,
    contenders: ['bare', 'blob', 'stock', 'hocuspocus', 'skein'],
    metrics: {
      pushUs: { label: 'CPU per update taken in', unit: 'us', base: 'bare' },
      warmReceivedMs: { label: 'join, received after', unit: 'ms', base: 'blob' },
      warmAppliedMs: { label: 'join, applied after', unit: 'ms', base: 'blob' },
      warmCpuMs: { label: 'join, CPU', unit: 'ms', base: 'blob' },
      restartReceivedMs: { label: 'join after restart, received after', unit: 'ms', base: 'blob' },
      restartAppliedMs: { label: 'join after restart, applied after', unit: 'ms', base: 'blob' },
      restartCpuMs: { label: 'join after restart, CPU', unit: 'ms', base: 'blob' },
      joinKiB: { label: 'join, size', unit: 'KiB', base: 'blob' },
    },
    async run(arena) {
      const history = choose(arena.histories)
      if (arena.name === 'blob') return joinBlob(arena, history)
      const contender = await arena.start()
      const writer = await Writer.connect(contender, ROOM)
      const pushUs = await push(contender, writer, history.updates)
      if (arena.name === 'bare') return { pushUs }
      await contender.idle()
      const warm = await join(contender, history)
      writer.close()
      const figures = { pushUs, ...warmFigures(warm) }
      // The others keep nothing on disk.
      if (arena.name !== 'skein') return figures
      await contender.stop()
      return { ...figures, ...(await joinAfterRestart(arena, contender.dataDir, history)) }
    },
  })
}

/** CPU time of the server per update, in microseconds, until the last one is taken and acknowledged. */
async function push(contender: Contender, writer: Writer, updates: readonly Uint8Array[]): Promise<number> {
  const before = await contender.usage()
  await writer.sendAll(updates)
  await writer.finished()
  const after = await contender.usage()
  return (after.cpuUs - before.cpuUs) / updates.length
}

async function joinBlob(arena: Arena, history: History) {
  const dataDir = arena.directory()
  writeFileSync(path.join(dataDir, BLOB_FILE), history.merged)
  const restarted = await joinAfterRestart(arena, dataDir, history)
  const contender = await arena.start(dataDir)
  await join(contender, history)
  return { ...restarted, ...warmFigures(await join(contender, history)) }
}

async function joinAfterRestart(arena: Arena, dataDir: string, history: History) {
  const contender = await arena.start(dataDir)
  await contender.idle()
  const { receivedMs, appliedMs, cpuMs } = await join(contender, history)
  return { restartReceivedMs: receivedMs, restartAppliedMs: appliedMs, restartCpuMs: cpuMs }
}

function warmFigures({ receivedMs, appliedMs, cpuMs, kib }: Joined) {
  return { warmReceivedMs: receivedMs, warmAppliedMs: appliedMs, warmCpuMs: cpuMs, joinKiB: kib }
}

type Joined = Awaited<ReturnType<typeof join>>

async function join(contender: Contender, history: History) {
  const before = await contender.usage()
  const joined = await ColdJoin.run(contender, ROOM, (doc) => clocksOf(doc) >= history.clocks)
  const after = await contender.usage()
  if (joined.doc.getText(TEXT).toString() !== history.text) {
    throw new Error(`${contender.name} gave the joiner another document than was written`)
  }
  const { receivedMs, appliedMs, bytes } = joined
  return { receivedMs, appliedMs, cpuMs: (after.cpuUs - before.cpuUs) / 1000, kib: bytes / 1024 }
}
