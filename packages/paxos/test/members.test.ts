import { expect, test } from 'vitest'
import {
  type Configuration,
  compareBallots,
  isQuorum,
  MEMBERS_KEY,
  type Member,
  PAXOS_LIMITS,
} from '../src/index.js'
import { ANY, Cluster, configurationOf, memberOf } from './support/cluster.js'
import { set } from './support/operations.js'

const members = (...ids: string[]): Member[] => ids.map(memberOf)
const change = (cluster: Cluster, driver: string, to: readonly Member[]) =>
  cluster.step(driver, (member) => member.changeMembers(cluster.nowMs, to))
const ids = ({ members: list }: Configuration) => list.map(({ id }) => id)

function changed(cluster: Cluster, driver: string, ...to: string[]): Configuration {
  cluster.changes.delete(driver)
  change(cluster, driver, members(...to))
  cluster.until(() => cluster.changes.has(driver))
  const outcome = cluster.changes.get(driver)!
  expect(outcome.kind).toBe('changed')
  return outcome.configuration
}

/** Until `driver` has taken over the joint configuration, which is on no other disk. */
function interrupted(cluster: Cluster, driver: string, ...to: string[]): void {
  change(cluster, driver, members(...to))
  cluster.until(() => cluster.member(driver).configuration.next !== undefined)
}

test('M1 a quorum is a majority, of the old and of the new members while they change', () => {
  const plain = configurationOf(['a', 'b', 'c', 'd'])
  expect(isQuorum(plain, new Set(['a', 'b']))).toBe(false)
  expect(isQuorum(plain, new Set(['a', 'b', 'c']))).toBe(true)
  expect(isQuorum(plain, new Set(['a', 'b', 'x', 'y']))).toBe(false)
  const joint = { ...configurationOf(['a', 'b', 'c']), next: members('c', 'd', 'e') }
  expect(isQuorum(joint, new Set(['a', 'b']))).toBe(false)
  expect(isQuorum(joint, new Set(['d', 'e']))).toBe(false)
  expect(isQuorum(joint, new Set(['a', 'c']))).toBe(false)
  expect(isQuorum(joint, new Set(['a', 'b', 'd', 'e']))).toBe(true)
  expect(isQuorum(joint, new Set(['a', 'c', 'd']))).toBe(true)
})

test('M1 during a change the old members alone decide nothing, nor do the new ones', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d', 'e', 'f'])
  interrupted(cluster, 'a', 'd', 'e', 'f')
  cluster.until(() => cluster.disk('f').configuration.epoch === 2)
  for (const silent of [
    ['d', 'e'],
    ['b', 'c'],
  ]) {
    const token = cluster.submit('a', 'k', set('1'), 1_000)
    cluster.until(() => cluster.outcomes.has(token), ...silent)
    expect(['unknown', 'unavailable']).toContain(cluster.outcomeOf(token).kind)
  }
})

test('M2 epochs follow each other, each decided in the register of the members', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d'])
  const configuration = changed(cluster, 'a', 'a', 'b', 'd')
  expect(configuration).toEqual({ epoch: 3, members: members('a', 'b', 'd') })
  expect(cluster.read('b', MEMBERS_KEY)).toMatchObject({
    current: { version: 2, value: JSON.stringify(configuration) },
  })
  expect(changed(cluster, 'b', 'a', 'b', 'c').epoch).toBe(5)
})

test('M2 of two changes at a time one is told of the other', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d', 'e'])
  change(cluster, 'a', members('a', 'b', 'd'))
  change(cluster, 'b', members('a', 'b', 'e'))
  cluster.until(() => cluster.changes.has('a') && cluster.changes.has('b'))
  const outcomes = [...cluster.changes.values()]
  expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['changed', 'other-change'])
  const won = outcomes.find(({ kind }) => kind === 'changed')!.configuration
  expect(cluster.read('c', MEMBERS_KEY)).toMatchObject({ current: { value: JSON.stringify(won) } })
})

test('M2 while a change is under way another is refused at once', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d', 'e'])
  interrupted(cluster, 'a', 'a', 'b', 'd')
  cluster.until(() => cluster.member('b').configuration.epoch === 2)
  cluster.restart('a')
  change(cluster, 'b', members('a', 'b', 'e'))
  expect(cluster.changes.get('b')).toMatchObject({ kind: 'other-change', configuration: { epoch: 2 } })
})

/** b and c decide the joint configuration of a's change, and a dies before it hears so. */
function decidedUnheard(cluster: Cluster, ...to: string[]): void {
  change(cluster, 'a', members(...to))
  cluster.until(() => cluster.network.some(({ message }) => message.kind === 'accept'))
  for (const id of ['b', 'c']) {
    cluster.deliverAll({ from: 'a', to: id })
    cluster.flush(id)
    expect(cluster.onDisk(id, MEMBERS_KEY)?.register.version).toBe(1)
  }
  cluster.take(ANY)
  cluster.restart('a')
  expect(cluster.member('a').configuration.epoch).toBe(1)
}

test('M2 a second change of the same member is not taken for its first', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d', 'e'])
  decidedUnheard(cluster, 'a', 'b', 'd')
  change(cluster, 'a', members('a', 'b', 'e'))
  cluster.until(() => cluster.changes.has('a'))
  expect(cluster.changes.get('a')).toMatchObject({
    kind: 'other-change',
    configuration: { epoch: 2, next: members('a', 'b', 'd') },
  })
})

test('M3 what was decided before is there with the new members alone', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d', 'e', 'f'])
  // More keys than one page lists, and more than are copied at a time.
  const keys = Array.from({ length: 600 }, (_, index) => `k${index}`)
  for (const key of keys) cluster.submit('a', key, set(key))
  cluster.settle('c')
  expect(cluster.outcomes.size).toBe(keys.length)
  changed(cluster, 'b', 'd', 'e', 'f')
  for (const id of ['a', 'b', 'c']) cluster.crash(id)
  for (const key of keys)
    expect(cluster.read('d', key)).toMatchObject({ current: { value: key, version: 1 } })
})

test('M3 nothing is copied before the joint configuration is on both majorities', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d', 'e', 'f'])
  cluster.decide('a', 'k', set('1'))
  interrupted(cluster, 'a', 'd', 'e', 'f')
  cluster.take(ANY)
  expect(cluster.member('a').changeProgress).toEqual({ copied: 0, found: 0 })
  for (const silent of [
    ['d', 'e'],
    ['b', 'c'],
  ]) {
    for (let i = 0; i < 5; i++) {
      cluster.settle(...silent)
      cluster.pass(200)
    }
    expect(cluster.member('a').changeProgress).toEqual({ copied: 0, found: 0 })
    expect(cluster.member('a').configuration.next).toBeDefined()
    cluster.restart('a')
    change(cluster, 'a', members('d', 'e', 'f'))
  }
})

test('M3 keys that only one of the listing old members has are copied too', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d', 'e', 'f'])
  cluster.submit('b', 'k', set('1'))
  cluster.settle('a')
  change(cluster, 'a', members('d', 'e', 'f'))
  // Of the old members a, which has nothing, and c are the majority.
  cluster.until(() => cluster.changes.has('a'), 'b')
  for (const id of ['a', 'b', 'c']) cluster.crash(id)
  expect(cluster.read('e', 'k')).toMatchObject({ current: { value: '1', version: 1 } })
})

test('M3 an answer to the list of an earlier change does not count', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d', 'e'])
  cluster.submit('b', 'old', set('1'))
  cluster.settle()
  change(cluster, 'a', members('a', 'c', 'b'))
  cluster.until(() => cluster.changes.get('a')?.kind === 'changed')
  cluster.changes.clear()
  change(cluster, 'a', members('a', 'c', 'd'))
  // What c lists is on the way for longer than the whole change takes.
  const late: typeof cluster.network = []
  for (let i = 0; i < 100 && !cluster.changes.has('a'); i++) {
    for (const packet of cluster.take(ANY)) {
      if (packet.message.kind === 'listed' && packet.from === 'c') late.push(packet)
      else cluster.hand(packet)
    }
    for (const id of ['a', 'b', 'c', 'd']) cluster.flush(id)
    cluster.pass(200)
  }
  expect(cluster.changes.get('a')?.kind).toBe('changed')
  expect(late.length).toBeGreaterThan(0)
  // Decided by c and d; a, which drives the next change, does not hear of it.
  const token = cluster.submit('c', 'new', set('2'))
  cluster.until(() => cluster.outcomes.has(token), 'a', 'b')
  expect(cluster.outcomeOf(token).kind).toBe('done')
  cluster.changes.clear()
  change(cluster, 'a', members('a', 'b', 'e'))
  for (let i = 0; i < 100 && !cluster.changes.has('a'); i++) {
    // Of what c says now its listing is lost; the old one arrives instead. d says nothing of its own.
    for (const packet of cluster.take(ANY)) {
      const isList = packet.message.kind === 'listed' && (packet.from === 'c' || packet.from === 'd')
      if (!isList || i > 60) cluster.hand(packet)
    }
    if (cluster.member('a').changeProgress !== undefined) for (const packet of late) cluster.hand(packet)
    for (const id of ['a', 'b', 'c', 'd', 'e']) cluster.flush(id)
    cluster.pass(200)
  }
  expect(cluster.changes.get('a')?.kind).toBe('changed')
  for (const id of ['c', 'd']) cluster.crash(id)
  expect(cluster.read('b', 'new')).toMatchObject({ current: { value: '2' } })
})

test.each(['a', 'b', 'd'])('M4 a change that was interrupted goes on when %s begins it again', (driver) => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d'])
  cluster.decide('a', 'k', set('1'))
  interrupted(cluster, 'a', 'a', 'b', 'd')
  cluster.until(
    () => cluster.member('b').configuration.epoch >= 2 && cluster.member('d').configuration.epoch >= 2,
  )
  cluster.crash('a')
  cluster.take(ANY)
  cluster.restart('a')
  cluster.changes.clear()
  expect(changed(cluster, driver, 'd', 'a', 'b').epoch).toBe(3)
  cluster.crash('c')
  cluster.crash('a')
  expect(cluster.read('d', 'k')).toMatchObject({ current: { value: '1' } })
})

test('M4 a change that was interrupted before anybody took it over is found in its register', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d'])
  decidedUnheard(cluster, 'a', 'b', 'd')
  cluster.crash('a')
  change(cluster, 'b', members('a', 'b', 'd'))
  cluster.until(() => cluster.changes.has('b'))
  expect(cluster.changes.get('b')).toEqual({
    kind: 'changed',
    configuration: configurationOf(['a', 'b', 'd'], 3),
  })
})

test('M4 two members that drive the same change both learn that it is done', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d'])
  for (let i = 0; i < 100; i++) cluster.decide('a', `k${i}`, set('1'))
  interrupted(cluster, 'a', 'a', 'b', 'd')
  cluster.until(
    () => cluster.member('a').changeProgress?.found === 0 && cluster.member('b').configuration.epoch === 2,
  )
  change(cluster, 'b', members('a', 'b', 'd'))
  // a is slow, and finds everybody in the final configuration.
  cluster.until(() => cluster.changes.has('b'), 'a')
  cluster.until(() => cluster.changes.has('a'))
  expect(cluster.changes.get('a')).toEqual(cluster.changes.get('b'))
})

test('M5 a member that hears of a higher epoch takes it over, and proposes under it', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d'])
  const token = cluster.submit('c', 'k', set('0'))
  cluster.take(ANY)
  change(cluster, 'a', members('b', 'c', 'd'))
  cluster.until(() => cluster.changes.has('a'), 'c')
  expect(cluster.member('c').configuration.epoch).toBe(1)
  cluster.until(() => cluster.outcomes.has(token))
  expect(cluster.outcomeOf(token)).toMatchObject({ kind: 'done', version: 1 })
  expect(ids(cluster.member('c').configuration)).toEqual(['b', 'c', 'd'])
  expect(cluster.disk('c').configuration.epoch).toBe(3)
})

test('M5 what is open begins anew at once, with the new members and a new ballot', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d'])
  cluster.submit('c', 'k', set('0'))
  const [before] = cluster.take(ANY)
  const configuration = configurationOf(['b', 'c', 'd'], 3)
  cluster.hand({ from: 'a', to: 'c', message: { kind: 'install', configuration } })
  expect(cluster.network.map(({ to, message }) => [to, message.kind])).toEqual([
    ['b', 'prepare'],
    ['d', 'prepare'],
  ])
  const [after] = cluster.network
  if (before?.message.kind !== 'prepare' || after?.message.kind !== 'prepare') throw new Error('no prepare')
  expect(after.message.epoch).toBe(3)
  expect(compareBallots(after.message.ballot, before.message.ballot)).toBeGreaterThan(0)
})

test('M5 a member that asks under a lower epoch than its peers is told theirs, and tells a lower one its own', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d'])
  change(cluster, 'a', members('a', 'b', 'd'))
  cluster.until(() => cluster.changes.has('a'), 'c')
  cluster.submit('a', 'k', set('0'))
  cluster.hand({
    from: 'c',
    to: 'a',
    message: { kind: 'other-epoch', configuration: configurationOf(['a', 'b', 'c']) },
  })
  cluster.settle()
  expect(cluster.member('c').configuration.epoch).toBe(3)
})

test('M5 a cached promise of the old members is worth nothing', () => {
  const cluster = new Cluster(['a', 'b', 'c'], ['d', 'e', 'f'])
  cluster.decide('a', 'k', set('1'))
  changed(cluster, 'b', 'd', 'e', 'f')
  cluster.settle()
  expect(cluster.member('a').configuration.epoch).toBe(2)
  const token = cluster.submit('a', 'k', set('2'))
  expect(new Set(cluster.network.map(({ message }) => message.kind))).toEqual(new Set(['prepare']))
  cluster.until(() => cluster.outcomes.has(token))
  expect(cluster.outcomeOf(token)).toMatchObject({ kind: 'done', version: 2 })
})

test('M6 a member that lost its store comes back under a new id only', () => {
  const cluster = new Cluster()
  // Decided by b and c; then c loses its disk.
  cluster.submit('b', 'k', set('1'))
  cluster.settle('a')
  const begin = () => change(cluster, 'b', [...members('a', 'b'), { id: 'c', store: 'a new disk' }])
  // As an old member c would vouch for what the lost disk had promised and accepted.
  expect(begin).toThrow(/c .*new id/)
  cluster.settle()
  expect(cluster.member('b').configuration).toEqual(configurationOf(['a', 'b', 'c']))
})

test('M6 a store that is taken out may come back as another member, in a change of its own', () => {
  const cluster = new Cluster()
  changed(cluster, 'a', 'a', 'b')
  cluster.changes.clear()
  change(cluster, 'a', [...members('a', 'b'), { id: 'c', store: 'a new disk' }])
  cluster.until(() => cluster.changes.has('a'))
  expect(cluster.changes.get('a')).toMatchObject({ kind: 'changed', configuration: { epoch: 5 } })
})

test('M1 membersMax: no, too many, or the same members twice are refused', () => {
  const cluster = new Cluster()
  const many = Array.from({ length: PAXOS_LIMITS.membersMax + 1 }, (_, i) => memberOf(`m${i}`))
  for (const wrong of [[], many, members('a', 'b', 'a')]) {
    expect(() => change(cluster, 'a', wrong)).toThrow(RangeError)
  }
})
