import { expect, test } from 'vitest'
import { collect } from '../../src/log/log.js'
import { temporaryDirectory } from '../helpers.js'
import { describeLog } from './log-acceptance.js'
import { openLmdb } from './open-lmdb.js'

describeLog('lmdb log', async () => openLmdb(await temporaryDirectory()))

test('what was appended is there after closing and opening', async () => {
  const path = await temporaryDirectory()
  const log = await openLmdb(path)
  await log.append('room', [{ position: 3, update: new Uint8Array([1, 2]) }])
  await log.close()
  expect(await collect((await openLmdb(path)).load('room'))).toEqual([
    { position: 3, update: new Uint8Array([1, 2]) },
  ])
})

test('a name that has no UTF-8 is refused: two rooms would become one', async () => {
  const log = await openLmdb(await temporaryDirectory())
  await expect(log.append('\ud800', [{ position: 1, update: new Uint8Array() }])).rejects.toThrow(RangeError)
  await expect(collect(log.load(''))).rejects.toThrow(RangeError)
})
