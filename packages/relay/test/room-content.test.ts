import { decodeFrame, encodeStateVector } from '@skein/protocol'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import * as Y from 'yjs'
import { Workers } from '../src/compaction/workers.js'
import type { Log, LoggedUpdate } from '../src/log/log.js'
import { memoryLog } from '../src/log/memory-log.js'
import { RoomContent } from '../src/room-content.js'

const EMPTY = encodeStateVector(new Map())
const ask = (stateVector = EMPTY) => ({ member: 1, kind: 'sync-step-2', stateVector }) as const

/** Single edits of one document. */
function edits(count: number, text = 'x'): { updates: LoggedUpdate[]; doc: Y.Doc } {
  const doc = new Y.Doc()
  const updates: LoggedUpdate[] = []
  doc.on('update', (update: Uint8Array) => updates.push({ position: updates.length + 1, update }))
  for (let i = 0; i < count; i++) doc.getText('t').insert(i * text.length, text)
  return { updates, doc }
}

function textIn(frames: readonly Uint8Array[]): string {
  const doc = new Y.Doc()
  for (const frame of frames) Y.applyUpdate(doc, (decodeFrame(frame) as { update: Uint8Array }).update)
  return doc.getText('t').toString()
}

describe('content of a room', () => {
  let workers: Workers
  beforeAll(() => {
    workers = new Workers()
    return () => workers.close()
  })
  const contentOf = (log: Log, logged?: LoggedUpdate[]) => {
    onTestFinished(() => log.close())
    return new RoomContent('room', log, workers, logged)
  }

  test('L20 what is at hand is answered at once, what is not is read from the log', async () => {
    const { updates, doc } = edits(30)
    const log = memoryLog()
    await log.append('room', updates)
    expect(textIn((await contentOf(log, updates).answer(ask())) as Uint8Array[])).toBe(
      doc.getText('t').toString(),
    )
    const content = contentOf(log)
    expect(content.isInMemory).toBe(false)
    expect(textIn(await content.answer(ask()))).toHaveLength(30)
    expect(content.isInMemory).toBe(true)
    content.drop()
    expect(content.bytes).toBe(0)
    expect(textIn(await content.answer(ask()))).toHaveLength(30)
  })

  test('L20 an answer holds what is on its way to the disk, and what came while the log was read', async () => {
    const { updates } = edits(30)
    const memory = memoryLog()
    await memory.append('room', updates.slice(0, 10))
    let goOn = () => {}
    const reading = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const log: Log = {
      ...memory,
      async *load(room) {
        const all = memory.load(room)
        await reading
        yield* all
      },
    }
    const content = contentOf(log)
    content.append(updates.slice(10, 20))
    const answer = content.answer(ask())
    content.append(updates.slice(20))
    content.committed(30)
    goOn()
    expect(textIn(await answer)).toHaveLength(30)
  })

  test('L20 without content in memory updates only pass through', () => {
    const { updates } = edits(1_000, 'long enough to be seen')
    const content = contentOf(memoryLog())
    content.append(updates)
    content.committed(1_000)
    expect(content.bytes).toBe(0)
  })

  test('L22 who asks for the same shares the answer, until something comes in', async () => {
    const { updates } = edits(30)
    const content = contentOf(memoryLog(), updates.slice(0, 20))
    const first = await content.answer(ask())
    expect(await content.answer(ask())).toBe(first)
    content.append(updates.slice(20))
    const later = await content.answer(ask())
    expect(textIn(later)).toHaveLength(30)
  })

  test('L22 a large content goes out in pieces, in the order in which it came', async () => {
    const { updates, doc } = edits(60, 'y'.repeat(100_000))
    const content = contentOf(memoryLog(), updates)
    const frames = await content.answer(ask())
    expect(frames.length).toBeGreaterThan(4)
    expect(textIn(frames)).toBe(doc.getText('t').toString())
    expect(frames.map((frame) => decodeFrame(frame).type)).toEqual([
      ...Array.from({ length: frames.length - 1 }, () => 'update'),
      'sync-step-2',
    ])
  })

  test('L22 what somebody lacks of a large content is computed elsewhere, and is only that', async () => {
    const { updates, doc } = edits(60, 'y'.repeat(100_000))
    const half = new Y.Doc()
    for (const { update } of updates.slice(0, 58)) Y.applyUpdate(half, update)
    const content = contentOf(memoryLog(), updates)
    const answer = content.answer(ask(Y.encodeStateVector(half)))
    expect(answer).toBeInstanceOf(Promise)
    const frames = await answer
    expect(frames.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(300_000)
    for (const frame of frames) Y.applyUpdate(half, (decodeFrame(frame) as { update: Uint8Array }).update)
    expect(half.getText('t').toString()).toBe(doc.getText('t').toString())
  })

  test('L21 a log that was rewritten takes the place of what it stands for', async () => {
    const { updates, doc } = edits(30)
    const content = contentOf(memoryLog(), updates.slice(0, 20))
    const rewritten = new Y.Doc()
    for (const { update } of updates.slice(0, 20)) Y.applyUpdate(rewritten, update)
    const before = content.bytes
    content.append(updates.slice(20))
    content.rewritten(20, Y.encodeStateAsUpdate(rewritten))
    expect(textIn(await content.answer(ask()))).toBe(doc.getText('t').toString())
    expect(before).toBeGreaterThan(0)
  })
})
