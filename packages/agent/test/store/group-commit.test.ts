import { expect, test } from 'vitest'
import { GroupCommit, type Write } from '../../src/store/group-commit.js'

/** A commit that the test finishes by hand. */
function manualCommits() {
  const commits: { writes: readonly Write[]; resolve: () => void; reject: (error: Error) => void }[] = []
  const group = new GroupCommit(
    (writes) => new Promise((resolve, reject) => commits.push({ writes, resolve, reject })),
  )
  return { commits, group }
}

const update = (byte: number) => Uint8Array.of(byte)
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('calls of one tick share a transaction, and calls during a transaction share the next one', async () => {
  const { commits, group } = manualCommits()
  const first = [group.add({ update: update(1), queued: 1 }), group.add({ update: update(2), queued: 2 })]
  await turn()
  const second = [
    group.add({ update: update(3), queued: 3 }),
    group.add({ queued: 0 }),
    group.add({ update: update(4), queued: 4 }),
  ]
  await turn()
  expect(commits).toHaveLength(1)
  commits[0]!.resolve()
  await Promise.all(first)
  await turn()
  expect(commits.map(({ writes }) => writes.map(({ queued }) => queued))).toEqual([
    [1, 2],
    [3, 0, 4],
  ])
  commits[1]!.resolve()
  await Promise.all(second)
})

test('a failed transaction rejects its own callers and no others', async () => {
  const { commits, group } = manualCommits()
  const first = group.add({ update: update(1), queued: 1 })
  await turn()
  const second = group.add({ update: update(2), queued: 2 })
  commits[0]!.reject(new Error('disk on fire'))
  await expect(first).rejects.toThrow('disk on fire')
  await turn()
  commits[1]!.resolve()
  await expect(second).resolves.toBeUndefined()
})

test('no transaction takes more than 1000 writes', async () => {
  const sizes: number[] = []
  const group = new GroupCommit(async (writes) => {
    sizes.push(writes.length)
  })
  await Promise.all(Array.from({ length: 2500 }, (_, i) => group.add({ update: update(1), queued: i })))
  expect(sizes).toEqual([1000, 1000, 500])
})

test('close waits for what was added, and refuses more', async () => {
  const { commits, group } = manualCommits()
  const added = group.add({ update: update(1), queued: 1 })
  await turn()
  let closed = false
  const closing = group.close().then(() => {
    closed = true
  })
  await turn()
  expect(closed).toBe(false)
  await expect(group.add({ update: update(2), queued: 2 })).rejects.toMatchObject({
    code: 'store-unavailable',
  })
  commits[0]!.resolve()
  await Promise.all([added, closing, group.close()])
  expect(commits).toHaveLength(1)
})
