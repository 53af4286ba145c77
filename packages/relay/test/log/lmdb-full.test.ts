import { expect, test } from 'vitest'
import { collect } from '../../src/log/log.js'
import { temporaryDirectory } from '../helpers.js'
import { startChild } from './child.js'
import { openLmdb } from './open-lmdb.js'

const FILE_BLOCKS_MAX = 2000
const LIMITED = ['sh', '-c', `ulimit -f ${FILE_BLOCKS_MAX}; exec "$@"`, '-']

// A limit of the file's size stands for a full disk: it is a real refusal by the system, without a mount.
test.skipIf(process.platform === 'win32')(
  'a full disk: appends are refused as log-write and leave nothing, reads work, and later appends too',
  async () => {
    const path = await temporaryDirectory()
    const child = startChild('fill-disk', [path], LIMITED)
    await child.ended
    expect(child.lines, child.errors.join('\n')).toHaveLength(1)
    const { done, refused, readable } = JSON.parse(child.lines[0]!)
    expect(done.length).toBeGreaterThan(10)
    expect(refused.every((call: string) => call.endsWith('log-write'))).toBe(true)
    expect(readable.sort()).toEqual(done.sort())

    const log = await openLmdb(path)
    const stored = (await collect(log.load('a'))).map(({ position }) => `a ${position}`)
    expect(stored.sort()).toEqual(done.filter((call: string) => call.startsWith('a')).sort())
    await log.append('a', [{ position: 1_000_000, update: new Uint8Array(20_000) }])
    expect((await collect(log.load('a'))).at(-1)!.position).toBe(1_000_000)
  },
)
