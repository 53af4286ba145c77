import { expect, test } from 'vitest'
import { joinSpace, type StrongEntry } from '../../src/node.js'
import { joinForTest, until } from '../helpers.js'
import { ScriptedRegion } from './scripted-region.js'

async function joined() {
  const relay = await ScriptedRegion.start()
  const space = await joinForTest('home', { relays: [relay.url], strong: ['n/'] })
  await space.whenSynced
  return { relay, space, strong: space.strong }
}

/** Collects what a watch tells, until it ends. */
function collect(watch: AsyncIterable<StrongEntry>) {
  const entries: StrongEntry[] = []
  const done = (async () => {
    for await (const entry of watch) entries.push(entry)
  })()
  return { entries, done, values: () => entries.map(({ value }) => value) }
}

test('T17 a watch tells the present value and each later one, until its signal aborts', async () => {
  const { relay, strong } = await joined()
  relay.write('n/1', '1', 1)
  const abort = new AbortController()
  const { done, values } = collect(strong.watch('n/1', { signal: abort.signal }))
  await until('the present one', () => values().length === 1)
  relay.write('n/1', undefined, 2)
  await until('the deletion', () => values().length === 2)
  relay.write('n/1', '3', 3)
  await until('the next one', () => values().length === 3)
  expect(values()).toEqual([1, undefined, 3])
  expect(strong.peek('n/1')?.value).toBe(3)
  abort.abort()
  await done
  await until('the relay is told', () => relay.asked('unwatch').length === 1)
})

test('T17 it goes on over another connection, and never goes back', async () => {
  const { relay, strong } = await joined()
  relay.write('n/1', '1', 1)
  const { entries, values } = collect(strong.watch('n/1'))
  await until('the present one', () => entries.length === 1)
  relay.drop()
  await until('it is gone', () => relay.connections === 0)
  relay.write('n/1', '2', 2)
  await until('what came meanwhile', () => entries.length === 2)
  relay.sendAll({ type: 'strong-event', key: 'n/1', entry: { value: '0', version: 1, fence: 1 } })
  relay.write('n/1', '3', 3)
  await until('the next one', () => entries.length === 3)
  expect(values()).toEqual([1, 2, 3])
})

test('T17 who takes them slowly gets the newest', async () => {
  const { relay, strong } = await joined()
  relay.write('n/1', '0', 1)
  const iterator = strong.watch('n/1')[Symbol.asyncIterator]()
  expect(await iterator.next()).toMatchObject({ value: { value: 0 } })
  for (let i = 1; i <= 5; i++) relay.write('n/1', String(i), i + 1)
  await until('all is there', () => strong.peek('n/1')?.value === 5)
  expect(await iterator.next()).toMatchObject({ value: { value: 5, version: 6 } })
  await iterator.return?.()
  expect(await iterator.next()).toEqual({ done: true, value: undefined })
})

test('T17 two watch one key over one question; the second is told the present value, too', async () => {
  const { relay, strong } = await joined()
  relay.write('n/1', '1', 1)
  const first = collect(strong.watch('n/1'))
  await until('the first is told', () => first.entries.length === 1)
  const second = collect(strong.watch('n/1'))
  await until('the second is told', () => second.entries.length === 1)
  expect(relay.asked('watch')).toHaveLength(1)
})

test('T17 a watch that is refused throws why, one that is unavailable is asked for again', async () => {
  const { relay, strong } = await joined()
  relay.write('n/2', '2', 1)
  relay.script = ({ request, before, answer }) => {
    if (request.kind !== 'watch' || before > 1) return false
    if (before === 0) answer({ kind: 'refused', code: 'not-strong', message: '' })
    else answer({ kind: 'unavailable', reason: 'busy' })
    return true
  }
  await expect(collect(strong.watch('n/1')).done).rejects.toMatchObject({ code: 'not-strong' })
  const { entries } = collect(strong.watch('n/2'))
  await until('it is told after all', () => entries.length === 1)
})

test('T17 a watch that began offline goes on when there is a relay; leaving ends it', async () => {
  const relay = await ScriptedRegion.start()
  const space = await joinSpace('home', { relays: [relay.url], strong: ['n/'], offline: true })
  const { entries, done } = collect(space.strong.watch('n/1'))
  space.connect()
  await until('it is told', () => entries.length === 1)
  await space.leave()
  await done
})
