import { readdir, rename, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDataDirectory } from '../../src/data/data-directory.js'
import { lockDirectory } from '../../src/data/exclusive-lock.js'
import { collect } from '../../src/log/log.js'
import { temporaryDirectory } from '../helpers.js'
import { startChild } from '../log/child.js'
import { openLmdb } from '../log/open-lmdb.js'

const IN_USE = { name: 'RelayError', code: 'data-in-use', message: /another relay runs on .* Stop it/ }

async function locked(path: string) {
  const lock = await lockDirectory(path)
  onTestFinished(() => lock.release())
  return lock
}

/** A socket as kill -9 leaves it: a name that nobody listens on. */
async function leaveDeadSocket(path: string, id: string): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(path, 'being-made'), resolve))
  await rename(join(path, 'being-made'), join(path, `relay-${id}.lock`))
  await new Promise((resolve) => server.close(resolve))
}

test('a second opener is refused, and let in after the release', async () => {
  const path = await temporaryDirectory()
  const first = await openDataDirectory(path)
  await expect(openDataDirectory(path)).rejects.toMatchObject(IN_USE)
  await first.release()
  await first.release()
  await (await openDataDirectory(path)).release()
})

test('a directory is the same one under another name', async () => {
  const path = await temporaryDirectory()
  const other = join(await temporaryDirectory(), 'link')
  await symlink(path, other)
  await locked(path)
  await expect(lockDirectory(other)).rejects.toMatchObject(IN_USE)
})

test('a path too long for a socket works the same, and leaves nothing behind', async () => {
  const path = join(await temporaryDirectory(), 'long'.repeat(40), 'name'.repeat(40))
  const first = await openDataDirectory(path)
  await expect(openDataDirectory(path)).rejects.toMatchObject(IN_USE)
  await first.release()
  const second = await openDataDirectory(path)
  await second.release()
  expect((await readdir(path)).filter((name) => name.endsWith('.lock'))).toEqual([])
})

test('after kill -9 of another process the directory is taken over, not before', async () => {
  const path = await temporaryDirectory()
  const child = startChild('append-loop', [path, '1'])
  await child.hasPrinted(1)
  await expect(openDataDirectory(path)).rejects.toMatchObject(IN_USE)
  await child.kill()
  const log = await openLmdb(path)
  expect((await collect(log.load('room-0'))).length).toBeGreaterThan(0)
  expect((await readdir(path)).filter((name) => name.endsWith('.lock'))).toHaveLength(1)
})

test.skipIf(process.platform === 'win32')(
  'of many starters that race, over dead sockets too, one gets in',
  async () => {
    for (let round = 0; round < 40; round++) {
      const path = await temporaryDirectory()
      // One below and one above most names.
      await leaveDeadSocket(path, '000000000001')
      await leaveDeadSocket(path, 'ffffffffffff')
      const starters = await Promise.allSettled(Array.from({ length: 6 }, () => lockDirectory(path)))
      const holders = starters.filter((starter) => starter.status === 'fulfilled')
      for (const starter of starters)
        if (starter.status === 'rejected') expect(starter.reason).toMatchObject(IN_USE)
      expect(holders).toHaveLength(1)
      await holders[0]!.value.release()
      expect(await readdir(path)).toEqual([])
    }
  },
)

test.skipIf(process.platform === 'win32')(
  'starters that race in processes of their own: one gets in',
  async () => {
    const path = await temporaryDirectory()
    await (await openDataDirectory(path)).release()
    await leaveDeadSocket(path, '800000000000')
    const children = Array.from({ length: 5 }, () => startChild('hold-directory', [path]))
    await Promise.all(children.map((child) => child.hasPrinted(1)))
    const answers = children.flatMap((child) => child.lines)
    expect(answers.sort()).toEqual(['data-in-use', 'data-in-use', 'data-in-use', 'data-in-use', 'held'])
    await Promise.all(children.map((child) => child.kill()))
  },
)
