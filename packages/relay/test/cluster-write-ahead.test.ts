import { rmSync, truncateSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { BLOCK_BYTES, encodeFrame, scanFrames } from '../src/cluster/write-ahead/frame.js'
import { createSegment, SEGMENT_FILES } from '../src/cluster/write-ahead/segment.js'
import { openSegmentFile } from '../src/cluster/write-ahead/segment-file.js'
import {
  Ahead,
  configurationWrite,
  putSegment,
  RELAY_ID,
  recordWrite,
  StoreBehind,
  segmentOf,
  summaryOf,
} from './cluster-write-ahead-helpers.js'
import { randomFrom, runSeed, temporaryDirectory, until } from './helpers.js'

const SUITE = 'packages/relay/test/cluster-write-ahead.test.ts'
const CORRUPT = { name: 'RelayError', code: 'data-corrupt' }

describe('frames', () => {
  test('K15 a frame comes out as it went in, for its owner only', () => {
    for (const bytes of [0, 1, BLOCK_BYTES - 25, BLOCK_BYTES - 24, BLOCK_BYTES - 23, 3 * BLOCK_BYTES]) {
      const payload = Buffer.alloc(bytes, 7)
      const frame = encodeFrame('a/0', { number: 2 ** 40, payload })
      expect(frame.length % BLOCK_BYTES).toBe(0)
      const [found, ...more] = scanFrames('a/0', Buffer.concat([Buffer.alloc(2 * BLOCK_BYTES), frame]), 0)
      expect(more).toEqual([])
      expect(found!.number).toBe(2 ** 40)
      expect(Buffer.compare(found!.payload, payload)).toBe(0)
      expect(scanFrames('a/1', frame, 0)).toEqual([])
      expect(scanFrames('a/0', frame.subarray(0, 24 + bytes - 1), 0)).toEqual([])
    }
  })
})

describe('write-ahead files', () => {
  test('K15 what was written is read at once, and after a crash; of a key the last', async () => {
    const ahead = await Ahead.open()
    await ahead.write(recordWrite('k', 1), recordWrite('k', 2), recordWrite('other', 3))
    await ahead.write(recordWrite('k', 4), configurationWrite(2))
    expect(ahead.store.writes.size).toBe(0)
    expect([...new Set(ahead.writeAhead.keys())].sort()).toEqual(['k', 'other'])
    const expected = new Map([
      ['k', recordWrite('k', 4)],
      ['other', recordWrite('other', 3)],
      ['', configurationWrite(2)],
    ])
    expect(ahead.state).toEqual(expected)
    const { store, directory } = await ahead.crashed()
    const again = await Ahead.open(store, directory)
    expect(again.store.writes).toEqual(expected)
    expect([...again.writeAhead.keys()]).toEqual([])
  })

  test('K15 nothing is read before it is on disk', async () => {
    let end = () => {}
    const ahead = await Ahead.open(undefined, undefined, {
      openFile: async (name: string) => {
        const file = await openSegmentFile(name)
        const held = () => new Promise<void>((resolve) => (end = resolve))
        return { ...file, write: (bytes: Uint8Array, at: number) => held().then(() => file.write(bytes, at)) }
      },
    })
    const written = ahead.write(recordWrite('k', 1))
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect(ahead.state.size).toBe(0)
    expect(() => ahead.write(recordWrite('k', 2))).toThrow('one write at a time')
    end()
    await written
    expect(ahead.state.get('k')).toEqual(recordWrite('k', 1))
  })

  test('K15 random batches, checkpoints, closes and crashes: always exactly what was acknowledged', async () => {
    const seed = runSeed(SUITE)
    const random = randomFrom(seed)
    const below = (limit: number) => Math.floor(random() * limit)
    const model = new Map()
    let ahead = await Ahead.open()
    let version = 0
    for (let step = 0; step < 600; step++) {
      const batch = Array.from({ length: 1 + below(6) }, () => {
        const write = below(20) === 0 ? configurationWrite(++version) : randomWrite()
        model.set(write.kind === 'record' ? write.key : '', write)
        return write
      })
      await ahead.write(...batch)
      if (below(8) === 0) {
        const crash = below(3) > 0
        if (!crash) await ahead.writeAhead.close()
        const { store, directory } = await ahead.crashed()
        if (!crash) expect(summaryOf(store.writes), `seed ${seed}, step ${step}`).toBe(summaryOf(model))
        await ahead.writeAhead.close()
        rmSync(ahead.directory, { recursive: true })
        ahead = await Ahead.open(store, directory)
      }
      expect(ahead.summary, `seed ${seed}, step ${step}`).toBe(summaryOf(model))
    }

    function randomWrite() {
      // Now and then more than a segment takes.
      const bytes = below(40) === 0 ? 40_000 : below(5_000)
      return recordWrite(`key${below(12)}`, ++version, 'x'.repeat(bytes))
    }
  })

  test('K16 a write waits while both are full and the checkpoint is under way; nothing is lost', async () => {
    const ahead = await Ahead.open()
    let release = () => {}
    ahead.store.before = () => new Promise((resolve) => (release = resolve))
    // Seven blocks for frames in each.
    for (let i = 1; i <= 14; i++) await ahead.write(recordWrite(`key${i}`, i))
    let isWritten = false
    const waiting = ahead.write(recordWrite('key15', 15)).then(() => {
      isWritten = true
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isWritten).toBe(false)
    expect(ahead.state.size).toBe(14)
    // A crash now finds all fourteen, seven in each file.
    const crashed = await ahead.crashed()
    const again = await Ahead.open(crashed.store, crashed.directory)
    expect(again.store.writes.size).toBe(14)
    ahead.store.before = async () => {}
    release()
    await waiting
    expect(ahead.state.size).toBe(15)
  })

  test('K16 many keys are checkpointed before a file is full, and nobody waits for it', async () => {
    const ahead = await Ahead.open(undefined, undefined, { segmentBytes: 1000 * BLOCK_BYTES })
    let release = () => {}
    ahead.store.before = () => new Promise((resolve) => (release = resolve))
    const keys = (count: number, from: number) =>
      Array.from({ length: count }, (_, i) => recordWrite(`key${from + i}`, 1))
    await ahead.write(...keys(511, 0))
    await ahead.write(...keys(511, 511))
    const atOnce: number[] = []
    const { checkpoint } = ahead.store
    ahead.store.checkpoint = (writes, number) => {
      const all = [...writes]
      atOnce.push(all.length)
      return checkpoint.call(ahead.store, all, number)
    }
    await ahead.write(...keys(600, 1022))
    expect(atOnce).toEqual([1022])
    // The first checkpoint is under way.
    await ahead.write(...keys(10, 1622))
    expect(atOnce).toEqual([1022])
    expect(ahead.state.size).toBe(1632)
    ahead.store.before = async () => {}
    release()
    await until('the checkpoint', () => ahead.writeAhead.checkpoints === 1)
    await ahead.write(...keys(1, 0))
    expect(atOnce).toEqual([1022, 610])
  })

  test('K16 a batch that no segment takes goes behind, after all that was written before', async () => {
    const ahead = await Ahead.open()
    await ahead.write(recordWrite('k', 1), recordWrite('before', 2))
    await ahead.write(recordWrite('k', 3, 'x'.repeat(100_000)))
    expect(ahead.store.writes.size).toBe(2)
    expect([...ahead.writeAhead.keys()]).toEqual([])
    await ahead.write(recordWrite('k', 4))
    const { store, directory } = await ahead.crashed()
    const again = await Ahead.open(store, directory)
    expect(again.state.get('k')).toEqual(recordWrite('k', 4))
    expect(again.state.get('before')).toEqual(recordWrite('before', 2))
  })

  test('K16 closing puts all into the store behind', async () => {
    const ahead = await Ahead.open()
    void ahead.write(recordWrite('k', 1))
    await new Promise((resolve) => setImmediate(resolve))
    await ahead.writeAhead.close()
    expect(ahead.store.writes.get('k')).toEqual(recordWrite('k', 1))
    await expect(ahead.write(recordWrite('k', 2))).rejects.toMatchObject({ code: 'log-closed' })
  })
})

describe('failures of the disk', () => {
  test('K5 after a write that failed nothing is written, and nothing checkpointed', async () => {
    const written: number[] = []
    let isBroken = false
    const ahead = await Ahead.open(undefined, undefined, {
      openFile: async (name: string) => {
        const file = await openSegmentFile(name)
        const write = async (bytes: Uint8Array, at: number) => {
          written.push(at)
          if (isBroken) throw new Error('EIO: i/o error')
          return file.write(bytes, at)
        }
        return { ...file, write }
      },
    })
    await ahead.write(recordWrite('k', 1))
    isBroken = true
    await expect(ahead.write(recordWrite('k', 2))).rejects.toMatchObject({
      code: 'log-write',
      message: /strong-0.wal \(EIO.*whether it is stored is open/,
    })
    isBroken = false
    await expect(ahead.write(recordWrite('k', 3))).rejects.toMatchObject({ code: 'log-write' })
    expect(written).toEqual([BLOCK_BYTES, 2 * BLOCK_BYTES])
    expect(ahead.state.get('k')).toEqual(recordWrite('k', 1))
    await ahead.writeAhead.close()
    expect(ahead.store.writes.size).toBe(0)
    const again = await Ahead.open(ahead.store, ahead.directory)
    expect(again.state.get('k')).toEqual(recordWrite('k', 1))
  })

  test('K5 a checkpoint that failed ends it with the next write; a start has all', async () => {
    const ahead = await Ahead.open()
    ahead.store.before = async () => {
      throw new Error('no space left on device')
    }
    for (let i = 1; i <= 8; i++) await ahead.write(recordWrite(`key${i}`, i))
    await expect(ahead.write(recordWrite('key9', 9))).rejects.toThrow('no space')
    expect(ahead.state.size).toBe(8)
    await ahead.writeAhead.close()
    ahead.store.before = async () => {}
    const again = await Ahead.open(ahead.store, ahead.directory)
    expect(again.store.writes.size).toBe(8)
  })
})

describe('damage', () => {
  /** Seven frames in the first file, three in the second, none of them in the store behind; the last of two blocks. */
  async function filled() {
    const ahead = await Ahead.open()
    let release = () => {}
    ahead.store.before = () => new Promise((resolve) => (release = resolve))
    for (let i = 1; i <= 9; i++) await ahead.write(recordWrite(`key${i % 4}`, i))
    const before = ahead.summary
    await ahead.write(recordWrite('key0', 10, 'x'.repeat(BLOCK_BYTES)))
    const crashed = await ahead.crashed()
    ahead.store.before = async () => {}
    release()
    return { before, after: ahead.summary, ...crashed }
  }

  const LAST_AT = 3 * BLOCK_BYTES

  async function openingOf(store: StoreBehind, directory: string) {
    const copy = store.copy()
    return Ahead.open(copy, directory).then(
      async (ahead) => {
        await ahead.writeAhead.close()
        return ahead.summary
      },
      (error) => error,
    )
  }

  test.each([
    ['zeros', 11, () => Buffer.alloc(2 * BLOCK_BYTES)],
    ['other bytes', 37, () => Buffer.alloc(2 * BLOCK_BYTES, 0xa5)],
    ['a frame of before', 37, () => encodeFrame(`${RELAY_ID}/1`, { number: 1, payload: Buffer.alloc(5000) })],
  ])(
    'K17 the last frame cut off after any of its bytes, behind it %s, is left out',
    { timeout: 120_000 },
    async (_, step, behind) => {
      const { before, after, store, directory } = await filled()
      const whole = segmentOf(directory, 1)
      const used = whole.subarray(LAST_AT).lastIndexOf('x') + 3
      for (let length = 0; length <= used + 8; length++) {
        // Every byte near the ends and the block's edge.
        const isNear = length < 64 || length > used - 64 || Math.abs(length - BLOCK_BYTES) < 16
        if (!isNear && length % step !== 0) continue
        const torn = Buffer.from(whole)
        torn.set(behind().subarray(length), LAST_AT + length)
        putSegment(directory, 1, torn)
        const isWhole = torn.subarray(0, LAST_AT + used).equals(whole.subarray(0, LAST_AT + used))
        expect(await openingOf(store, directory), `after ${length} bytes`).toEqual(isWhole ? after : before)
      }
    },
  )

  test('K17 a bit that flipped is noticed, wherever it is, but for the last frame', {
    timeout: 120_000,
  }, async () => {
    const seed = runSeed(SUITE)
    const random = randomFrom(seed)
    const { before, after, store, directory } = await filled()
    const counts = { refused: 0, harmless: 0, lost: 0 }
    for (const index of [0, 1] as const) {
      const whole = segmentOf(directory, index)
      for (let at = 0; at < whole.length; at++) {
        // All bytes of headers and frames, and some of the zeros between.
        if (whole[at] === 0 && at % BLOCK_BYTES > 96 && random() > 0.004) continue
        if (whole[at] === 0x78 && random() > 0.02) continue
        const damaged = Buffer.from(whole)
        damaged[at]! ^= 1 << Math.floor(random() * 8)
        putSegment(directory, index, damaged)
        const opened = await openingOf(store, directory)
        const where = `seed ${seed}, byte ${at} of file ${index}`
        if (opened instanceof Error) {
          expect(opened, where).toMatchObject({
            name: 'RelayError',
            code: /^data-(corrupt|version|foreign)$/,
          })
          counts.refused++
        } else if (index === 1 && at >= LAST_AT && opened === before) {
          counts.lost++
        } else {
          expect(opened, where).toEqual(after)
          counts.harmless++
        }
      }
      putSegment(directory, index, whole)
    }
    expect(counts.refused).toBeGreaterThan(500)
    expect(counts.lost).toBeGreaterThan(50)
  })

  test('K17 what lies behind a damaged frame is never taken for all', async () => {
    const { store, directory } = await filled()
    const whole = segmentOf(directory, 0)
    // The last of the first file, which frames of the second follow.
    putSegment(directory, 0, Buffer.concat([whole.subarray(0, 7 * BLOCK_BYTES), Buffer.alloc(BLOCK_BYTES)]))
    expect(await openingOf(store, directory)).toMatchObject({ ...CORRUPT, message: /frame 9, but frame 8/ })
  })

  test('K17 the number of a frame that was torn is not used again', async () => {
    const { before, store, directory } = await filled()
    const torn = segmentOf(directory, 1)
    const whole = Buffer.from(torn)
    torn[LAST_AT + 100]! ^= 1
    putSegment(directory, 1, torn)
    const again = await Ahead.open(store, directory)
    expect(again.summary).toBe(before)
    await again.write(recordWrite('key1', 11))
    const crashed = await again.crashed()
    // What could not be read can be read again.
    putSegment(crashed.directory, 1, whole)
    const third = await Ahead.open(crashed.store, crashed.directory)
    expect(third.summary).toBe(again.summary)
  })
})

describe('files that do not belong together', () => {
  async function crashedWithFrames() {
    const ahead = await Ahead.open()
    for (let i = 1; i <= 9; i++) await ahead.write(recordWrite(`key${i}`, i))
    return ahead.crashed()
  }

  test.each([0, 1] as const)('K17 without file %i it does not start', async (index) => {
    const { store, directory } = await crashedWithFrames()
    rmSync(path.join(directory, SEGMENT_FILES[index]))
    await expect(Ahead.open(store, directory)).rejects.toMatchObject({ ...CORRUPT, message: /is missing/ })
  })

  test.each([0, 1, BLOCK_BYTES, 8 * BLOCK_BYTES - 1])('K17 nor with one of %i bytes', async (bytes) => {
    const { store, directory } = await crashedWithFrames()
    truncateSync(path.join(directory, SEGMENT_FILES[1]), bytes)
    await expect(Ahead.open(store, directory)).rejects.toMatchObject(CORRUPT)
  })

  test('K17 nor with files that changed places', async () => {
    const { store, directory } = await crashedWithFrames()
    const [first, second] = [segmentOf(directory, 0), segmentOf(directory, 1)]
    putSegment(directory, 0, second)
    putSegment(directory, 1, first)
    await expect(Ahead.open(store, directory)).rejects.toMatchObject({ ...CORRUPT, message: /is segment 1/ })
  })

  test('K17 nor with a file of another relay, though its store knows of none', async () => {
    const { store, directory } = await crashedWithFrames()
    const theirs = segmentOf(directory, 0)
    const other = { directory: temporaryDirectory(), relayId: 'another-relay', index: 0 } as const
    await createSegment(other, theirs.length)
    theirs.set(segmentOf(other.directory, 0).subarray(0, BLOCK_BYTES))
    putSegment(directory, 0, theirs)
    const foreign = { code: 'data-foreign', message: /belongs to relay another-relay/ }
    await expect(Ahead.open(store, directory)).rejects.toMatchObject(foreign)
    await expect(Ahead.open(new StoreBehind(), directory)).rejects.toMatchObject(foreign)
    expect(segmentOf(directory, 0).equals(theirs)).toBe(true)
  })

  test('K17 nor where it is older than a batch that no file took', async () => {
    const ahead = await Ahead.open()
    await ahead.write(recordWrite('a', 1))
    const older = ahead.store.copy()
    await ahead.write(recordWrite('large', 1, 'x'.repeat(10 * BLOCK_BYTES)))
    const { directory, store } = await ahead.crashed()
    await expect(Ahead.open(older, directory)).rejects.toMatchObject({ code: 'data-corrupt' })
    // With the store as it was it starts.
    expect((await Ahead.open(store, directory)).summary).toBe(ahead.summary)
  })

  test('K17 nor where the store is older than the files', async () => {
    const ahead = await Ahead.open()
    const old = ahead.store.copy()
    for (let i = 1; i <= 30; i++) await ahead.write(recordWrite(`key${i}`, i))
    const { directory } = await ahead.crashed()
    expect(await Ahead.open(old, directory).catch((error) => error)).toMatchObject(CORRUPT)
    // One of before there were such files.
    const none = await Ahead.open(new StoreBehind(), directory).catch((error) => error)
    expect(none).toMatchObject({ ...CORRUPT, message: /promised after its store was copied/ })
  })

  test('K18 a crash before the store knows of the files: they are made again, whatever is there', async () => {
    const store = new StoreBehind()
    const directory = temporaryDirectory()
    store.before = async () => {
      throw new Error('a crash')
    }
    await expect(Ahead.open(store, directory)).rejects.toThrow('a crash')
    store.before = async () => {}
    truncateSync(path.join(directory, SEGMENT_FILES[1]), 1000)
    putSegment(directory, 0, Buffer.alloc(0))
    const ahead = await Ahead.open(store, directory)
    await ahead.write(recordWrite('k', 1))
    const crashed = await ahead.crashed()
    const again = await Ahead.open(crashed.store, crashed.directory)
    expect(again.state.get('k')).toEqual(recordWrite('k', 1))
  })
})

test('K17 a file is written in whole blocks, and does not grow', async () => {
  const ahead = await Ahead.open()
  for (let i = 1; i <= 40; i++) await ahead.write(recordWrite('k', i, 'x'.repeat(i * 100)))
  await until('checkpoints', () => ahead.writeAhead.checkpoints > 2)
  expect([segmentOf(ahead.directory, 0).length, segmentOf(ahead.directory, 1).length]).toEqual([
    8 * BLOCK_BYTES,
    8 * BLOCK_BYTES,
  ])
})
