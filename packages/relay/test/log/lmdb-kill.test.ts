import { expect, test } from 'vitest'
import { collect } from '../../src/log/log.js'
import { randomFrom, runSeed, temporaryDirectory } from '../helpers.js'
import { startChild } from './child.js'
import { updateAt } from './children/contents.mjs'
import { openLmdb } from './open-lmdb.js'

const KILLS = 5

test('after kill -9, every append that was reported as done is there, byte for byte', async () => {
  const path = await temporaryDirectory()
  const seed = runSeed('packages/relay/test/log/lmdb-kill.test.ts')
  const random = randomFrom(seed)
  const lastDone = new Map<string, number>()
  let appends = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const child = startChild('append-loop', [path, `${seed + kill}`])
    await child.hasPrinted(1 + Math.floor(random() * 1500))
    await child.kill()
    expect(child.errors).toEqual([])
    for (const line of child.lines) {
      const [room, , last] = line.split(' ')
      lastDone.set(room!, Number(last))
    }
    appends += child.lines.length

    const log = await openLmdb(path)
    for (const [room, last] of lastDone) {
      const updates = await collect(log.load(room))
      // More may be stored than was reported, but without gaps, for the child leaves none.
      expect(updates.length).toBeGreaterThan(last)
      for (const [index, { position, update }] of updates.entries()) {
        if (position !== index || Buffer.compare(update, updateAt(room, position)) !== 0) {
          expect.fail(`${room}: position ${position} at index ${index} is not what was appended`)
        }
      }
    }
    await log.close()
  }
  expect(appends).toBeGreaterThan(KILLS)
}, 60_000)

test('after kill -9 in the middle of replaces, the room is the old or the new list, never a mixture', async () => {
  const path = await temporaryDirectory()
  const random = randomFrom(runSeed('packages/relay/test/log/lmdb-kill.test.ts'))
  for (let kill = 0; kill < 2 * KILLS; kill++) {
    const child = startChild('replace-loop', [path])
    // Three lines a round, the second one just before the replace: most kills come within it.
    await child.hasPrinted(3 * Math.floor(random() * 20) + 2)
    await child.kill()
    expect(child.errors).toEqual([])
    const doneOf = (what: string) =>
      Math.max(
        -1,
        ...child.lines.filter((line) => line.startsWith(what)).map((line) => Number(line.split(' ')[1])),
      )

    const log = await openLmdb(path)
    const texts = (await collect(log.load('room'))).map(({ position, update }) => ({
      position,
      text: new TextDecoder().decode(update).trimEnd(),
    }))
    await log.close()
    const [first, ...later] = texts
    if (first?.text.includes('..')) expect(first.text).toBe(`0..${first.position}`)
    else expect(first?.text).toBe('0')
    expect(first!.position).toBeGreaterThanOrEqual(Math.max(0, doneOf('replaced')))
    for (const [index, { position, text }] of later.entries()) {
      expect([position, text]).toEqual([first!.position + 1 + index, `${position}`])
    }
    expect(texts.at(-1)!.position).toBeGreaterThanOrEqual(doneOf('appended'))
  }
}, 60_000)
