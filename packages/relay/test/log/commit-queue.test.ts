import { describe, expect, test } from 'vitest'
import { CommitQueue, Pace, type Write } from '../../src/log/commit-queue.js'

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

describe('a pause between commits', () => {
  /** A store whose transactions end at once, and when they began. */
  const pausing = () => {
    const commits: number[] = []
    const queue = new CommitQueue(
      async (changes) => {
        commits.push(performance.now())
        changes()
      },
      () => true,
      60_000,
    )
    const write = (urgent = false) =>
      queue.add({ scope: 'room', reads: false, bytes: 1, urgent, prepare: () => () => {} })
    return { queue, write, commits }
  }

  test('a few follow each other at once, the next one waits', async () => {
    const { write, commits, queue } = pausing()
    for (let i = 0; i < 4; i++) await write()
    let done = false
    const paused = write().then(() => {
      done = true
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect([commits.length, done]).toEqual([4, false])
    await queue.stop()
    await paused
    expect(commits).toHaveLength(5)
  })

  test.each<[string, (queue: CommitQueue, write: (urgent: boolean) => Promise<void>) => void]>([
    ['an urgent write', (_queue, write) => void write(true)],
    ['somebody in a hurry', (queue) => queue.hurry()],
  ])('%s ends it', async (_, end) => {
    const { write, commits, queue } = pausing()
    for (let i = 0; i < 4; i++) await write()
    const paused = write()
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    end(queue, write)
    await paused
    expect(commits).toHaveLength(5)
    await queue.stop()
  })

  test('the pace allows so many at once after a rest, then one in each interval', () => {
    const pace = new Pace(3, 10)
    expect([0, 0, 0, 0, 0].map((now) => pace.take(now))).toEqual([0, 0, 0, 10, 10])
    expect(pace.take(30)).toBe(0)
    for (let i = 0; i < 1_000; i++) pace.take(40)
    expect(pace.take(40)).toBe(10)
    expect([1_000, 1_000, 1_000, 1_000].map((now) => pace.take(now))).toEqual([0, 0, 0, 10])
  })
})
