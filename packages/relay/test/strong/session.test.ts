import {
  CLOSE,
  decodeFrame,
  encodeFrame,
  type StrongAnswer,
  type StrongAnswerMessage,
  type StrongEventMessage,
  type StrongRequest,
} from '@skein/protocol'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startRelay } from '../../src/relay.js'
import { STRONG_SESSION_LIMITS, StrongSession } from '../../src/strong/session.js'
import { StrongSpaces } from '../../src/strong/spaces.js'
import { RawClient, until } from '../helpers.js'
import { MemoryRegion } from '../support/memory-region.js'

const key = 'lock/front'

function write(data: string | undefined, more: Partial<Extract<StrongRequest, { kind: 'write' }>> = {}) {
  return {
    kind: 'write',
    key,
    deadlineMs: 10_000,
    id: { client: 'agent', sequence: 1 },
    since: 0,
    settled: 0,
    condition: { kind: 'none' },
    keepsFence: false,
    data,
    ...more,
  } satisfies StrongRequest
}

class Connection {
  congested = false
  readonly sent: (StrongAnswerMessage | StrongEventMessage)[] = []
  readonly errors: unknown[] = []
  readonly session: StrongSession
  private lastNumber = 0

  constructor(spaces: StrongSpaces) {
    this.session = new StrongSession(spaces, 'home', this, (error) => this.errors.push(error))
  }

  send(message: StrongAnswerMessage | StrongEventMessage): void {
    this.sent.push(message)
  }

  post(request: StrongRequest): number {
    this.session.receive({ type: 'strong-request', number: ++this.lastNumber, request })
    return this.lastNumber
  }

  answerTo(number: number): StrongAnswer | undefined {
    const found = this.sent.find((message) => message.type === 'strong-answer' && message.number === number)
    return found?.type === 'strong-answer' ? found.answer : undefined
  }

  async ask(request: StrongRequest): Promise<StrongAnswer> {
    const number = this.post(request)
    await until('it is answered', () => this.answerTo(number) !== undefined)
    return this.answerTo(number)!
  }

  get versions(): number[] {
    return this.sent.flatMap((message) => (message.type === 'strong-event' ? [message.entry.version] : []))
  }
}

function setUp(defaults: readonly string[] = ['lock/']) {
  const region = new MemoryRegion()
  const spaces = new StrongSpaces(region, defaults)
  return { region, spaces, connection: new Connection(spaces) }
}

describe('requests', () => {
  test('G11 are answered as they come out', async () => {
    const { connection } = setUp()
    expect(await connection.ask(write('1'))).toEqual({ kind: 'done', version: 1, fence: 1 })
    expect(await connection.ask(write('1'))).toEqual({ kind: 'done', version: 1, fence: 1 })
    const get = { kind: 'get', key, deadlineMs: 10_000 } as const
    const current = { value: '1', version: 1, fence: 1 }
    expect(await connection.ask(get)).toEqual({ kind: 'value', current })
    const compare = write('2', {
      id: { client: 'agent', sequence: 2 },
      condition: { kind: 'version', version: 7 },
    })
    expect(await connection.ask(compare)).toEqual({ kind: 'conflict', current })
    const renewal = write('3', { id: { client: 'agent', sequence: 3 }, keepsFence: true })
    expect(await connection.ask(renewal)).toEqual({ kind: 'done', version: 2, fence: 1 })
    const resolve = { kind: 'resolve', key, deadlineMs: 10_000, since: 0 } as const
    expect(await connection.ask({ ...resolve, id: { client: 'agent', sequence: 1 } })).toMatchObject({
      kind: 'done',
      version: 1,
    })
    expect(await connection.ask({ ...resolve, id: { client: 'agent', sequence: 9 } })).toMatchObject({
      kind: 'aborted',
    })
  })

  test('G11 that cannot be carried out are refused', async () => {
    const { connection } = setUp()
    expect(await connection.ask(write('1', { key: 'light' }))).toMatchObject({ code: 'not-strong' })
    expect(await connection.ask({ kind: 'get', key: 'lock/\0', deadlineMs: 99 })).toMatchObject({
      kind: 'refused',
      code: 'malformed',
    })
    expect(await connection.ask({ kind: 'watch', key: 'light' })).toMatchObject({ code: 'not-strong' })
  })

  test('G11 a declaration is told, asked for, and not changed', async () => {
    const { connection, spaces } = setUp([])
    const declare = (...prefixes: string[]) =>
      connection.ask({ kind: 'declare', deadlineMs: 10_000, prefixes })
    expect(await declare()).toEqual({ kind: 'declared', prefixes: [] })
    expect(spaces.isDecided('home')).toBe(false)
    expect(await declare('a/', 'b/')).toEqual({ kind: 'declared', prefixes: ['a/', 'b/'] })
    expect(await declare('b/', 'a/')).toEqual({ kind: 'declared', prefixes: ['a/', 'b/'] })
    expect(await declare('a/')).toMatchObject({ kind: 'refused', code: 'mismatch' })
    expect(await declare()).toEqual({ kind: 'declared', prefixes: ['a/', 'b/'] })
    const started = setUp(['lock/'])
    const asked = started.connection.ask({ kind: 'declare', deadlineMs: 10_000, prefixes: [] })
    expect(await asked).toEqual({ kind: 'declared', prefixes: ['lock/'] })
    expect(started.spaces.isDecided('home')).toBe(true)
  })

  test('G11 beyond the limit are busy, and none is forgotten', async () => {
    const { connection, region } = setUp()
    await connection.ask(write('1'))
    region.stopDisk()
    const numbers = Array.from({ length: STRONG_SESSION_LIMITS.requestsMax + 1 }, (_, i) =>
      connection.post(write('1', { id: { client: 'agent', sequence: 2 + i } })),
    )
    expect(connection.answerTo(numbers.at(-1)!)).toEqual({ kind: 'unavailable', reason: 'busy' })
    region.startDisk()
    await until('all are answered', () => numbers.every((number) => connection.answerTo(number)))
    expect(await connection.ask({ kind: 'get', key, deadlineMs: 10_000 })).toMatchObject({ kind: 'value' })
  })

  test('G8 what has no outcome is unavailable or unknown', async () => {
    const { connection, region } = setUp()
    await connection.ask(write('1'))
    region.stopDisk()
    const second = write('2', { id: { client: 'agent', sequence: 2 }, deadlineMs: 30 })
    expect(await connection.ask(second)).toEqual({ kind: 'unknown' })
    expect(await connection.ask({ ...second, key: 'lock/back' })).toEqual({
      kind: 'unavailable',
      reason: 'no-quorum',
    })
  })
})

describe('watches', () => {
  test('G9 tell what is decided, from now on, until they end', async () => {
    const { connection, region } = setUp()
    connection.post({ kind: 'watch', key })
    connection.post({ kind: 'watch', key })
    await until('the first is told', () => connection.versions.length === 1)
    await connection.ask(write('1'))
    await until('the write is told', () => connection.versions.at(-1) === 1)
    connection.post({ kind: 'unwatch', key })
    expect(region.watchedCount).toBe(0)
    await connection.ask(write('2', { id: { client: 'agent', sequence: 2 } }))
    expect(connection.versions).toEqual([0, 1])
    connection.post({ kind: 'watch', key })
    await until('it is told again', () => connection.versions.at(-1) === 2)
  })

  test('G9 one that ends before it has begun leaves nothing behind', async () => {
    const { connection, region } = setUp()
    connection.post({ kind: 'watch', key })
    connection.post({ kind: 'unwatch', key })
    await connection.ask(write('1'))
    expect([region.watchedCount, connection.versions]).toEqual([0, []])
  })

  test('G11 beyond the limit are busy', async () => {
    const { connection } = setUp()
    for (let i = 0; i < STRONG_SESSION_LIMITS.watchesMax; i++) {
      connection.post({ kind: 'watch', key: `lock/${i}` })
    }
    expect(await connection.ask({ kind: 'watch', key })).toEqual({ kind: 'unavailable', reason: 'busy' })
    connection.post({ kind: 'unwatch', key: 'lock/7' })
    connection.post({ kind: 'watch', key })
    const isTold = () =>
      connection.sent.some((message) => message.type === 'strong-event' && message.key === key)
    await until('there is room again', isTold)
  })

  test('G12 a slow reader is told the newest of each key', async () => {
    const { connection } = setUp()
    connection.post({ kind: 'watch', key })
    connection.post({ kind: 'watch', key: 'lock/back' })
    await until('the first are told', () => connection.versions.length === 2)
    connection.congested = true
    for (let sequence = 1; sequence <= 5; sequence++) {
      await connection.ask(write('1', { id: { client: 'agent', sequence } }))
    }
    await connection.ask(write('1', { key: 'lock/back' }))
    expect(connection.versions).toEqual([0, 0])
    connection.congested = false
    connection.session.writable()
    expect(connection.versions).toEqual([0, 0, 5, 1])
    connection.session.writable()
    expect(connection.versions).toHaveLength(4)
  })
})

test('G13 a connection that ends gives up what it asked for', async () => {
  const { connection, region } = setUp()
  await connection.ask(write('1'))
  connection.post({ kind: 'watch', key })
  await until('it is told', () => connection.versions.length === 1)
  region.stopDisk()
  connection.post(write('2', { id: { client: 'agent', sequence: 2 }, deadlineMs: 600_000 }))
  await until('it is under way', () => region.openCount === 1)
  const { length } = connection.sent
  connection.session.close()
  expect([region.openCount, region.watchedCount]).toEqual([0, 0])
  connection.post({ kind: 'watch', key })
  await Promise.resolve()
  expect([connection.sent.length, region.watchedCount, connection.errors]).toEqual([length, 0, []])
})

describe('on a connection', () => {
  async function connected(query = '?skein=1') {
    const region = new MemoryRegion()
    const relay = await startRelay({ strong: ['lock/'] }, region)
    onTestFinished(() => relay.close())
    const client = await new RawClient(`${relay.url}/home${query}`).opened()
    const messages = () => client.frames.map((frame) => decodeFrame(frame))
    await until('it is greeted', () => client.frames.length > 0)
    return { region, client, messages }
  }

  test('G11 the hello offers it, requests are answered, and the connection ends them', async () => {
    const { region, client, messages } = await connected()
    expect(messages()[0]).toMatchObject({ type: 'hello', features: expect.arrayContaining(['strong']) })
    client.socket.send(encodeFrame({ type: 'strong-request', number: 1, request: { kind: 'watch', key } }))
    client.socket.send(encodeFrame({ type: 'strong-request', number: 2, request: write('"open"') }))
    const has = (wanted: object) =>
      messages().some((message) => expect.objectContaining(wanted).asymmetricMatch(message))
    await until('it is answered', () => has({ type: 'strong-answer', number: 2 }))
    const entry = { value: '"open"', version: 1, fence: 1 }
    await until('it is told', () => has({ type: 'strong-event', key, entry }))
    client.socket.terminate()
    await until('nobody watches', () => region.watchedCount === 0)
  })

  test('G11 one that does not decode closes the connection', async () => {
    const { client, region } = await connected()
    client.socket.send(Uint8Array.of(75, 1, 99))
    expect(await client.closedWith()).toBe(CLOSE.malformedFrame)
    expect(region.executed.filter(({ operation }) => operation.kind !== 'read')).toEqual([])
  })

  test('G11 one of a stock client is skipped', async () => {
    const { client, messages } = await connected('')
    client.socket.send(
      encodeFrame({ type: 'strong-request', number: 1, request: { kind: 'get', key, deadlineMs: 1 } }),
    )
    client.socket.send(encodeFrame({ type: 'ping', sentAtUs: 1 }))
    await until('the ping is answered', () => messages().some(({ type }) => type === 'pong'))
    expect(messages().map(({ type }) => type)).not.toContain('strong-answer')
  })
})
