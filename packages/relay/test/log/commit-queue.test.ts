import { expect, test } from 'vitest'
import { CommitQueue, type Write } from '../../src/log/commit-queue.js'

/** A store whose transactions end when the test says so. */
function controlledStore() {
  const transactions: { names: string[]; commit: () => void; fail: (error: Error) => void }[] = []
  let current: string[] = []
  let usable = true
  const queue = new CommitQueue(
    (changes) =>
      new Promise((commit, fail) => {
        current = []
        changes()
        transactions.push({ names: current, commit: () => commit(undefined), fail })
      }),
    () => usable,
  )
  const write = (name: string, more: Partial<Write> = {}) => {
    const put = () => current.push(name)
    return queue.add({ scope: name, reads: false, bytes: 1, urgent: false, prepare: () => put, ...more })
  }
  const started = async (count: number) => {
    while (transactions.length < count) await new Promise((resolve) => setImmediate(resolve))
    return transactions[count - 1]!
  }
  return { queue, write, started, transactions, breakDown: () => (usable = false) }
}

test('writes of one turn share a transaction; those made while it runs share the next', async () => {
  const { write, started } = controlledStore()
  const first = [write('a'), write('b'), write('c')]
  const transaction = await started(1)
  expect(transaction.names).toEqual(['a', 'b', 'c'])
  const second = [write('d'), write('e')]
  transaction.commit()
  await Promise.all(first)
  const next = await started(2)
  expect(next.names).toEqual(['d', 'e'])
  next.commit()
  await Promise.all(second)
})

test('a write is not done before its transaction is', async () => {
  const { write, started } = controlledStore()
  let done = false
  const writing = write('a').then(() => (done = true))
  const transaction = await started(1)
  await new Promise((resolve) => setImmediate(resolve))
  expect(done).toBe(false)
  transaction.commit()
  await writing
})

test('a write that reads what an earlier one of its scope stored waits for the next transaction', async () => {
  const { write, started } = controlledStore()
  const writes = [write('a', { scope: 'room' }), write('b', { scope: 'room', reads: true }), write('c')]
  const first = await started(1)
  expect(first.names).toEqual(['a'])
  first.commit()
  const second = await started(2)
  expect(second.names).toEqual(['b', 'c'])
  second.commit()
  await Promise.all(writes)
})

test('a large write does not take the small ones behind it into its transaction', async () => {
  const { write, started } = controlledStore()
  const writes = [write('large', { bytes: 60_000_000 }), write('small')]
  const first = await started(1)
  expect(first.names).toEqual(['large'])
  first.commit()
  ;(await started(2)).commit()
  await Promise.all(writes)
})

test('a write that cannot be prepared fails alone', async () => {
  const { write, started } = controlledStore()
  const fail = () => {
    throw new Error('unreadable')
  }
  const bad = expect(write('bad', { prepare: fail })).rejects.toMatchObject({ code: 'log-write' })
  const good = write('good')
  ;(await started(1)).commit()
  await Promise.all([bad, good])
})

test('a failed transaction fails its writes and no later ones', async () => {
  const { write, started } = controlledStore()
  const failing = expect(write('a')).rejects.toMatchObject({ code: 'log-write', message: /no space/ })
  const transaction = await started(1)
  const later = write('b')
  transaction.fail(new Error('no space'))
  await failing
  ;(await started(2)).commit()
  await later
})

test('after a failure that the store does not survive nothing is tried again', async () => {
  const { queue, write, started, transactions, breakDown } = controlledStore()
  const failing = expect(write('a')).rejects.toMatchObject({ code: 'log-write' })
  const transaction = await started(1)
  const waiting = expect(write('b')).rejects.toMatchObject({ code: 'log-write' })
  breakDown()
  transaction.fail(new Error('panic'))
  await Promise.all([failing, waiting])
  await expect(write('c')).rejects.toMatchObject({ code: 'log-closed' })
  expect(transactions).toHaveLength(1)
  await queue.stop()
})
