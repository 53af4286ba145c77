import { describe, expect, test } from 'vitest'
import { joinAgent } from './support/agent-writer.js'
import { type Answer, answerTo, type HostileRequest, hostileRequest } from './support/hostile-requests.js'
import { RawSocket } from './support/hostile-sockets.js'
import { RelayProcess, temporaryDirectory } from './support/relay-process.js'
import { Random, seededRandom, setting } from './support/seed.js'
import { type After, inParallel, until } from './support/until.js'

const REQUESTS = setting('requests', 800)
const SHORT_REQUESTS = 1_000
const AT_ONCE = 8
/** What `packages/relay/SPEC.md` lists, and 405 for a method that a path does not have. */
const DOCUMENTED: readonly number[] = [200, 201, 400, 403, 404, 405, 413, 415, 503, 504]
/** What Node answers by itself to what is no HTTP, or is more than it takes. */
const NOT_HTTP: readonly number[] = [400, 408, 413, 414, 417, 426, 431, 501, 505]
const STATE = '/v1/spaces/home/state'

test(
  `${REQUESTS} hostile requests get documented answers`,
  async ({ onTestFinished: after }) => {
    const random = seededRandom('http-fuzz')
    const relay = await RelayProcess.start(after, { data: temporaryDirectory(after) })
    const statuses = new Map<number | 'none', number>()
    await inParallel([...Array(REQUESTS).keys()], AT_ONCE, async (index) => {
      const request = hostileRequest(new Random(random.seed + index))
      const answer = await answerTo(after, relay.port, request)
      const status = answer?.status ?? 'none'
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      expectDocumented(request, answer)
      if (REQUESTS > SHORT_REQUESTS && index % 1000 === 0) console.log(`request ${index} of ${REQUESTS}`)
    })
    console.log(`http-fuzz: ${JSON.stringify(Object.fromEntries(statuses))}`)
    // Where nothing comes through, nothing was tested.
    for (const status of [200, 201, 400, 404, 415]) expect(statuses.get(status)).toBeGreaterThan(0)
    await expectSound(after, relay)
    // Bodies that are cut off are told as failures, which has a test of its own.
    expect(relay.output.replaceAll('request-failed: aborted', '')).not.toContain('request-failed')
  },
  60_000 + REQUESTS * 100,
)

function expectDocumented({ head, body, isHttp }: HostileRequest, answer: Answer | undefined): void {
  const what = `${head}${Buffer.from(body.subarray(0, 200)).toString('latin1')}\n${answer?.body.slice(0, 500)}`
  if (!isHttp) {
    if (answer !== undefined) expect([...DOCUMENTED, ...NOT_HTTP], what).toContain(answer.status)
    return
  }
  // Huge uploads may be cut off before the answer to them has been read.
  if (answer === undefined) {
    expect(body.length, what).toBeGreaterThan(1024 * 1024)
    return
  }
  expect(DOCUMENTED, what).toContain(answer.status)
  if (answer.status < 400 || head.startsWith('HEAD')) return
  expect(answer.type, what).toMatch(/^application\/json/)
  expect(JSON.parse(answer.body), what).toEqual({
    error: {
      code: expect.stringMatching(/^[a-z-]+$/),
      message: expect.stringMatching(/./),
      applied: expect.stringMatching(/^(no|maybe)$/),
    },
  })
}

/** It lives, serves reads, writes and streams, and agents see what is written. */
async function expectSound(after: After, relay: RelayProcess): Promise<void> {
  expect(relay.exit, relay.output).toBeUndefined()
  const agent = await joinAgent(after, { space: 'home', url: relay.url })
  await agent.whenSynced
  const put = await fetch(`${relay.http}${STATE}/sound`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '"sound"',
  })
  expect([200, 201]).toContain(put.status)
  await until('the agent sees it', () => agent.get('sound') === 'sound')
  const state = await fetch(`${relay.http}${STATE}`)
  expect(await state.json()).toMatchObject({ sound: 'sound' })
}

test('uploads that never end, end early or lie about their length hold up nobody', async ({
  onTestFinished: after,
}) => {
  const relay = await RelayProcess.start(after, { data: temporaryDirectory(after) })
  const upload = (length: number, body: string) =>
    new RawSocket(after, relay.port).write(
      `PUT ${STATE}/slow HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
    )
  const slow = Array.from({ length: 200 }, () => upload(1_000, '"'))
  for (let round = 0; round < 5; round++) {
    for (const socket of slow) socket.write('x')
    await expectSound(after, relay)
  }
  // More than was announced: the surplus is the start of a second, broken request. It closes the connection, so
  // that nobody takes its refusal for the answer to the first.
  const surplus = upload(3, '"x"surplus')
  expect(await surplus.answered()).toMatch(/^(HTTP\/1.1 (201|400) |$)/)
  // Gone in the middle: nothing of it is applied.
  for (const { socket } of slow) socket.resetAndDestroy()
  for (let i = 0; i < 50; i++) {
    const socket = upload(9_000_000, `"${'x'.repeat(100_000)}`)
    socket.socket.end()
    await socket.ended()
  }
  await expectSound(after, relay)
  const state: unknown = await (await fetch(`${relay.http}${STATE}`)).json()
  expect([undefined, 'x']).toContain((state as { slow?: string }).slow)
})

test('event streams that are opened and dropped leave nothing behind', async ({ onTestFinished: after }) => {
  const relay = await RelayProcess.start(after, { data: temporaryDirectory(after) })
  await expectSound(after, relay)
  for (let round = 0; round < 5; round++) {
    const streams = Array.from({ length: 200 }, () =>
      new RawSocket(after, relay.port).write(
        `GET ${STATE} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
      ),
    )
    const told = (what: string) => streams.every(({ received }) => received.includes(what))
    await until('all have the state', () => told('event: state'))
    await fetch(`${relay.http}${STATE}/round`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: `${round}`,
    })
    await until('all hear of a change', () => told(`{"key":"round","value":${round}}`))
    for (const { socket } of streams) socket.resetAndDestroy()
  }
  await expectSound(after, relay)
})

describe('found by this fuzz', () => {
  const json = { 'content-type': 'application/json' }

  test('an upload that its client gives up is no mistake of the relay', async ({ onTestFinished: after }) => {
    const relay = await RelayProcess.start(after, { data: temporaryDirectory(after) })
    const head = `PUT ${STATE}/key HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
    const socket = new RawSocket(after, relay.port).write(`${head}Content-Length: 100\r\n\r\n"`)
    socket.socket.end()
    await socket.ended()
    // Two more round trips: what is told of the first request has been told by then.
    for (let i = 0; i < 2; i++) await fetch(`${relay.http}${STATE}`)
    expect(relay.output).not.toContain('request-failed')
  })

  test('a value with a key named `constructor` is refused as a value', async ({ onTestFinished: after }) => {
    const relay = await RelayProcess.start(after, { data: temporaryDirectory(after) })
    const body = '{"constructor":null}'
    const { status } = await fetch(`${relay.http}${STATE}/key`, { method: 'PUT', headers: json, body })
    // Taken, or refused as a value: not 500.
    expect([201, 400]).toContain(status)
  })

  test('a patch that is not applied leaves nothing of it (H3)', async ({ onTestFinished: after }) => {
    const relay = await RelayProcess.start(after, { data: temporaryDirectory(after) })
    const body = '{"first":1,"second":{"constructor":1}}'
    const patch = await fetch(`${relay.http}${STATE}`, { method: 'PATCH', headers: json, body })
    const state: unknown = await (await fetch(`${relay.http}${STATE}`)).json()
    expect(patch.status === 200 ? state : {}).toEqual(state)
  })
})
