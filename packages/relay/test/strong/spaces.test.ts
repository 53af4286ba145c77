import { PAXOS_LIMITS } from '@skein/paxos'
import { describe, expect, test } from 'vitest'
import { StrongSpaces } from '../../src/strong/spaces.js'
import { formatOperation, parseOperation, type StrongError } from '../../src/strong/strong-error.js'
import { until } from '../helpers.js'
import { MemoryRegion } from '../support/memory-region.js'

const within = { withinMs: 10_000 }
const soon = { withinMs: 50 }

async function setUp(prefixes: readonly string[] = ['lock/']) {
  const region = new MemoryRegion()
  const spaces = new StrongSpaces(region)
  await spaces.declare('home', prefixes, within)
  return { region, spaces }
}

const put = (data: string) => ({ data, condition: undefined })

function errorOf(promise: Promise<unknown>): Promise<StrongError> {
  return promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: unknown) => error as StrongError,
  )
}

describe('declarations', () => {
  test('G1 the first declaration holds for good, on every relay', async () => {
    const region = new MemoryRegion()
    const [one, other] = [new StrongSpaces(region), new StrongSpaces(region.as('other'))]
    expect(await one.declaration('home', within)).toBeUndefined()
    const both = await Promise.all([
      one.declare('home', ['lock/', 'lock/', 'alarm/'], within),
      other.declare('home', ['task/'], within),
    ])
    expect(both).toEqual([
      ['lock/', 'alarm/'],
      ['lock/', 'alarm/'],
    ])
    expect(await new StrongSpaces(region).declare('home', ['x/'], within)).toEqual(['lock/', 'alarm/'])
    expect(await other.declaration('elsewhere', within)).toBeUndefined()
    const asked = region.executed.length
    expect(await one.declaration('home', within)).toEqual(['lock/', 'alarm/'])
    expect(region.executed.length).toBe(asked)
  })

  test('G1 what is no declaration is refused', async () => {
    const spaces = new StrongSpaces(new MemoryRegion())
    const wrong = [
      [''],
      ['a\0b'],
      ['\ud800'],
      ['x'.repeat(129)],
      Array.from({ length: 33 }, (_, i) => `${i}/`),
    ]
    for (const prefixes of wrong) {
      const error = await errorOf(spaces.declare('home', prefixes, within))
      expect(error.code).toBe('bad-declaration')
    }
    expect(await spaces.declaration('home', within)).toBeUndefined()
  })

  test('G2 the first use of a key decides what new spaces start with', async () => {
    const region = new MemoryRegion()
    const spaces = new StrongSpaces(region, ['lock/'])
    expect(spaces.isStrong('home', 'lock/front')).toBe(true)
    expect(spaces.isDecided('home')).toBe(false)
    await spaces.get('home', 'lock/front', within)
    expect(spaces.isDecided('home')).toBe(true)
    expect(await new StrongSpaces(region).declaration('home', within)).toEqual(['lock/'])
  })

  test('G2 what was declared goes before what this relay starts with', async () => {
    const region = new MemoryRegion()
    await new StrongSpaces(region).declare('home', ['alarm/'], within)
    const spaces = new StrongSpaces(region, ['lock/'])
    const error = await errorOf(spaces.get('home', 'lock/front', within))
    expect(error.code).toBe('not-strong')
    expect(spaces.isStrong('home', 'alarm/1')).toBe(true)
  })

  test('G3 a key that is not strong is refused, and decides nothing', async () => {
    const region = new MemoryRegion()
    const spaces = new StrongSpaces(region, ['lock/'])
    for (const attempt of [
      spaces.get('home', 'light', within),
      spaces.write('home', 'light', put('1'), within),
      spaces.watch(
        'home',
        'light',
        () => {},
        () => {},
        within,
      ),
    ]) {
      const error = await errorOf(attempt)
      expect([error.code, error.applied]).toEqual(['not-strong', 'no'])
    }
    expect(await spaces.declaration('home', within)).toBeUndefined()
  })

  test('G4 keys and the declaration of a space are registers of their own', async () => {
    const { spaces, region } = await setUp()
    await spaces.write('home', 'lock/a', put('1'), within)
    await spaces.declare('other', ['lock/'], within)
    expect((await spaces.get('other', 'lock/a', within)).version).toBe(0)
    expect(new Set(region.executed.map(({ key }) => key))).toEqual(
      new Set(['home\0', 'home\0lock/a', 'other\0', 'other\0lock/a']),
    )
    for (const key of ['', 'lock/\0', 'lock/\ud800', `lock/${'x'.repeat(508)}`]) {
      expect(['bad-key', 'too-large']).toContain((await errorOf(spaces.get('home', key, within))).code)
    }
    await spaces.get('home', `lock/${'x'.repeat(507)}`, within)
  })
})

describe('operations', () => {
  test('G5 write, overwrite, compare, delete', async () => {
    const { spaces } = await setUp()
    const write = (data: string | undefined, version?: number) =>
      spaces.write(
        'home',
        'lock/front',
        { data, condition: version === undefined ? undefined : { kind: 'version', version } },
        within,
      )
    expect(await write('"open"')).toEqual({ kind: 'done', version: 1, fence: 1, created: true })
    expect(await write('"shut"', 1)).toEqual({ kind: 'done', version: 2, fence: 2, created: false })
    const current = { value: '"shut"', version: 2, fence: 2 }
    expect(await write('"open"', 1)).toEqual({ kind: 'conflict', current })
    expect(await spaces.get('home', 'lock/front', within)).toEqual(current)
    expect(await write(undefined, 2)).toMatchObject({ kind: 'done', version: 3 })
    expect(await spaces.get('home', 'lock/front', within)).toEqual({ value: undefined, version: 3, fence: 3 })
    expect(await write('1')).toMatchObject({ version: 4, created: true })
  })

  test('G6 operations under way keep their results in the register, those that ended do not', async () => {
    const { spaces, region } = await setUp()
    const settledOf = () =>
      region.executed.flatMap(({ operation }) => (operation.kind === 'write' ? [operation] : []))
    for (let i = 0; i < 12; i++) await spaces.write('home', 'lock/a', put('1'), within)
    const before = settledOf().slice(1)
    for (const { id, settled } of before) expect(settled).toBe(id.sequence - 1)
    expect(new Set(before.map(({ id }) => id.client)).size).toBe(4)
    const together = await Promise.all(
      Array.from({ length: 200 }, () => spaces.write('home', 'lock/a', put('2'), within)),
    )
    expect(new Set(together.map((result) => 'version' in result && result.version)).size).toBe(200)
    const writes = settledOf().slice(before.length + 1)
    for (const { id, settled } of writes) {
      const own = writes.filter((other) => other.id.client === id.client)
      expect(settled).toBeLessThan(own[0]!.id.sequence)
    }
  })

  test('G6 a register that has forgotten clients still takes what this relay writes once', async () => {
    const { spaces, region } = await setUp()
    const keyed = (client: string, since = 0) =>
      spaces.write(
        'home',
        'lock/a',
        { data: `"${client}"`, condition: undefined, operation: { id: { client, sequence: 1 }, since } },
        within,
      )
    for (let i = 0; i < PAXOS_LIMITS.clientsMax + 10; i++) {
      await keyed(`client ${i}`, i)
    }
    expect(await keyed('late')).toMatchObject({ kind: 'forgotten' })
    const fresh = new StrongSpaces(region.as('fresh'))
    const result = await fresh.write('home', 'lock/a', put('"mine"'), within)
    expect(result).toMatchObject({ kind: 'done', version: PAXOS_LIMITS.clientsMax + 11 })
  })

  test('G7 an operation under one id is applied once', async () => {
    const { spaces } = await setUp()
    const operation = { id: { client: 'me', sequence: 1 }, since: 0 }
    const write = () => spaces.write('home', 'lock/a', { data: '1', condition: undefined, operation }, within)
    const [first, second] = await Promise.all([write(), write()])
    await spaces.write('home', 'lock/a', put('2'), within)
    for (const result of [first, second, await write()]) expect(result).toMatchObject({ version: 1 })
    expect((await spaces.get('home', 'lock/a', within)).value).toBe('2')
  })

  test('G8 without a quorum it is certain that nothing was applied, or told how to find out', async () => {
    const { spaces, region } = await setUp()
    await spaces.write('home', 'lock/a', put('1'), within)
    region.stopDisk()
    const unknown = await errorOf(spaces.write('home', 'lock/a', put('2'), soon))
    expect([unknown.code, unknown.applied]).toEqual(['unknown', 'maybe'])
    const certain = await errorOf(spaces.write('home', 'lock/b', put('2'), soon))
    expect([certain.code, certain.applied, certain.operation]).toEqual(['unavailable', 'no', undefined])
    const aborted = new AbortController()
    const left = errorOf(spaces.write('home', 'lock/c', put('2'), { ...within, signal: aborted.signal }))
    aborted.abort()
    expect((await left).code).toBe('unavailable')
    region.startDisk()
    const { operation } = unknown
    const word = formatOperation(operation!)
    expect(parseOperation(word)).toEqual(operation)
    const resolved = await spaces.resolve('home', 'lock/a', operation!, within)
    const { value } = await spaces.get('home', 'lock/a', within)
    expect(value).toBe(resolved.kind === 'done' ? '2' : '1')
    expect(await spaces.resolve('home', 'lock/a', operation!, within)).toMatchObject({ kind: resolved.kind })
  })

  test('G6 G8 an unknown operation of this relay can be resolved after it has written more', async () => {
    const { spaces, region } = await setUp()
    await spaces.write('home', 'lock/a', put('1'), within)
    region.stopDisk()
    const { operation } = await errorOf(spaces.write('home', 'lock/a', put('2'), soon))
    region.startDisk()
    for (let i = 0; i < 8; i++) await spaces.write('home', 'lock/a', put('3'), within)
    expect(await spaces.resolve('home', 'lock/a', operation!, within)).not.toMatchObject({
      kind: 'forgotten',
    })
    for (let i = 0; i < 8; i++) await spaces.write('home', 'lock/a', put('3'), within)
    expect(await spaces.resolve('home', 'lock/a', operation!, within)).toMatchObject({ kind: 'forgotten' })
  })

  test('G8 what was resolved as not applied never is', async () => {
    const { spaces } = await setUp()
    const operation = { id: { client: 'me', sequence: 1 }, since: 0 }
    expect(await spaces.resolve('home', 'lock/a', operation, within)).toMatchObject({ kind: 'aborted' })
    const write = { data: '1', condition: undefined, operation }
    expect(await spaces.write('home', 'lock/a', write, within)).toMatchObject({ kind: 'aborted' })
    expect((await spaces.get('home', 'lock/a', within)).value).toBeUndefined()
  })

  test('G9 a watch tells what is decided, until it is ended or the relay stops', async () => {
    const { spaces, region } = await setUp()
    const seen: number[] = []
    let ended = 0
    const watch = () =>
      spaces.watch(
        'home',
        'lock/a',
        ({ version }) => seen.push(version),
        () => ended++,
        within,
      )
    const unwatch = await watch()
    await until('the first is told', () => seen.length === 1)
    await spaces.write('home', 'lock/a', put('1'), within)
    await until('the write is told', () => seen.at(-1) === 1)
    unwatch()
    expect(region.watchedCount).toBe(0)
    await watch()
    spaces.close()
    expect([region.watchedCount, ended]).toEqual([0, 1])
    expect((await errorOf(watch())).code).toBe('unavailable')
  })
})

test('G8 words that name no operation are told apart', () => {
  for (const word of [
    '',
    '1',
    '1-2',
    '1-2-',
    '0-0-x',
    '-1-0-x',
    '1-0',
    '9007199254740993-0-x',
    `1-0-${'x'.repeat(257)}`,
  ]) {
    expect(parseOperation(word)).toBeUndefined()
  }
  expect(parseOperation('1-0-a-b\n')).toEqual({ id: { client: 'a-b\n', sequence: 1 }, since: 0 })
})
