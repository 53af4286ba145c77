import { expect, test } from 'vitest'
import { joinSpace, NotStrong, StrongMismatch } from '../../src/node.js'
import { joinForTest, temporaryDirectory, until } from '../helpers.js'
import { ScriptedRegion } from './scripted-region.js'

test('T14 the first agent decides; one that declares nothing learns it, and knows it offline', async () => {
  const relay = await ScriptedRegion.start()
  const first = await joinForTest('home', { relays: [relay.url], strong: ['lock/', 'alarm/', 'lock/'] })
  await first.strong.set('lock/front', 1)
  expect(relay.prefixes).toEqual(['alarm/', 'lock/'])
  const dataDir = temporaryDirectory()
  const second = await joinSpace('home', { relays: [relay.url], dataDir })
  expect(second.strong.prefixes).toEqual([])
  expect(await second.strong.get('lock/front')).toMatchObject({ value: 1 })
  expect(second.strong.prefixes).toEqual(['alarm/', 'lock/'])
  await second.leave()
  const offline = await joinForTest('home', { relays: [relay.url], dataDir, offline: true })
  expect(offline.strong.prefixes).toEqual(['alarm/', 'lock/'])
  await expect(offline.set('lock/front', 2)).rejects.toMatchObject({ code: 'unavailable' })
  expect(relay.asked('declare').map(({ prefixes }) => prefixes)).toEqual([['alarm/', 'lock/'], []])
})

test('T14 nothing is asked before the relay has answered the declaration', async () => {
  const relay = await ScriptedRegion.start()
  let answerDeclaration = () => {}
  relay.script = ({ request, answer, carryOut }) => {
    if (request.kind !== 'declare') return false
    answerDeclaration = () => answer(carryOut()!)
    return true
  }
  const space = await joinForTest('home', { relays: [relay.url], strong: ['lock/'] })
  await space.whenSynced
  const set = space.strong.set('lock/front', 1)
  await until('the declaration is there', () => relay.requests.length > 0)
  expect(relay.requests).toHaveLength(1)
  answerDeclaration()
  expect(await set).toMatchObject({ version: 1 })
})

test('T14 a declaration that cannot be decided now is asked for again', async () => {
  const relay = await ScriptedRegion.start()
  relay.script = ({ request, before, answer }) => {
    if (request.kind !== 'declare' || before > 0) return false
    answer({ kind: 'unavailable', reason: 'no-quorum' })
    return true
  }
  const space = await joinForTest('home', { relays: [relay.url], strong: ['lock/'] })
  expect(await space.strong.set('lock/front', 1)).toMatchObject({ version: 1 })
})

test('T14 what is decided after the connection began is learned when an edit is refused', async () => {
  const relay = await ScriptedRegion.start()
  const space = await joinForTest('home', { relays: [relay.url] })
  await space.whenSynced
  await until('it has asked', () => relay.asked('declare').length === 1)
  relay.prefixes = ['lock/']
  expect(space.set('lock/front', 1)).toBeUndefined()
  relay.sendAll({ type: 'reject', seq: 1, code: 'forbidden', reason: 'a strong key' })
  await until('it knows', () => space.strong.prefixes.length === 1)
  expect(space.get('lock/front')).toBeUndefined()
  expect(await space.set('lock/front', 2)).toMatchObject({ version: 1 })
})

test('T15 where others are decided the agent says so, and works with those', async () => {
  const relay = await ScriptedRegion.start()
  relay.prefixes = ['lock/']
  const space = await joinForTest('home', { relays: [relay.url], strong: ['alarm/', 'lock/'] })
  await until('it is told', () => (space.status.error as StrongMismatch | undefined)?.decided !== undefined)
  expect(space.status.error).toBeInstanceOf(StrongMismatch)
  expect(space.status.error).toMatchObject({
    code: 'strong-mismatch',
    wanted: ['alarm/', 'lock/'],
    decided: ['lock/'],
  })
  expect(await space.strong.set('lock/front', 1)).toMatchObject({ version: 1 })
  await expect(space.set('alarm/mode', 'armed')).rejects.toMatchObject({ code: 'strong-mismatch' })
  await expect(space.strong.get('light/1')).rejects.toBeInstanceOf(NotStrong)
})

test.each([
  ['none', []],
  ['an empty one', ['']],
  ['too many', Array.from({ length: 33 }, (_, i) => `${i}/`)],
  ['too long a one', ['é'.repeat(65)]],
  ['half a character', ['\ud800/']],
])('T12 %s is no list of prefixes', async (_, strong) => {
  await expect(joinSpace('home', { strong })).rejects.toMatchObject({ code: 'bad-prefix' })
})

test('T16 a strong key is set and read through the space, too', async () => {
  const relay = await ScriptedRegion.start()
  const space = await joinForTest('home', { relays: [relay.url], strong: ['lock/'] })
  expect(space.set('light', 1)).toBeUndefined()
  expect(space.get('lock/front')).toBeUndefined()
  expect(await space.set('lock/front', 'locked')).toEqual({ version: 1, fence: 1 })
  expect(space.get('lock/front')).toBe('locked')
  expect(space.entries()).toEqual([
    ['light', 1],
    ['lock/front', 'locked'],
  ])
  relay.script = ({ request, answer }) => {
    if (request.kind !== 'write') return false
    answer({ kind: 'conflict', current: relay.entry('lock/front') })
    return true
  }
  await expect(space.set('lock/front', 'open')).rejects.toMatchObject({ code: 'conflict' })
})

test('T16 nothing that the document holds under a strong key is shown, and no write goes there', async () => {
  const space = await joinForTest('home', { strong: ['lock/'] })
  const seen: unknown[] = []
  space.observe('', ({ key }) => seen.push(key))
  space.doc.getMap('state').set('lock/front', 'forged')
  space.set('light', 1)
  expect(space.get('lock/front')).toBeUndefined()
  expect(space.entries()).toEqual([['light', 1]])
  expect(seen).toEqual(['light'])
  const refused = expect.objectContaining({ code: 'strong-key' })
  expect(() => space.delete('lock/front')).toThrow(refused)
  expect(() => space.transact(() => space.set('lock/front', 1))).toThrow(refused)
  expect(() => space.commit(() => space.set('lock/front', 1))).toThrow(refused)
})

test('T4 a space that was left refuses', async () => {
  const relay = await ScriptedRegion.start()
  const space = await joinSpace('home', { relays: [relay.url], strong: ['lock/'] })
  await space.whenSynced
  relay.script = ({ request }) => request.kind !== 'declare'
  const pending = space.strong.get('lock/front', { deadlineMs: 60_000 }).catch((error: unknown) => error)
  await until('it was asked', () => relay.asked('get').length === 1)
  await space.leave()
  expect(await pending).toMatchObject({ code: 'unavailable', reason: 'offline' })
  await expect(space.strong.get('lock/front')).rejects.toMatchObject({ code: 'left' })
})
