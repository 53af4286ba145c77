import { describe, expect, test } from 'vitest'
import type * as Y from 'yjs'
import { joinAgent } from './support/agent-writer.js'
import { Auditor } from './support/auditor.js'
import { canMount, type LimitedDisk, limitedFileSize, smallFileSystem } from './support/limited-disk.js'
import { NumberedWriter } from './support/numbered-writer.js'
import { mustReadSpace } from './support/raw-client.js'
import { RelayProcess } from './support/relay-process.js'
import { seededRandom } from './support/seed.js'
import { type After, until } from './support/until.js'

const TRY_LATER = 1013
/** Larger than what a full LMDB file may still have in free pages. */
const LARGE_CHARS = 60_000

describe('a full disk under a live relay', () => {
  test.skipIf(process.platform === 'win32')('as a limit of file size', async ({ onTestFinished: after }) => {
    const disk = limitedFileSize(after)
    await fillAndRelieve(after, disk, 'restart')
  })

  test.skipIf(!canMount())('as a small file system', async ({ onTestFinished: after }) => {
    await fillAndRelieve(after, await smallFileSystem(after), 'restart')
  })

  test.skipIf(!canMount())(
    'as a small file system that grows under the same relay',
    async ({ onTestFinished: after }) => {
      await fillAndRelieve(after, await smallFileSystem(after), 'same relay')
    },
  )
})

async function fillAndRelieve(after: After, disk: LimitedDisk, then: 'restart' | 'same relay') {
  const { data, wrapper } = disk
  let relay = await RelayProcess.start(after, { data, wrapper })
  expect(await put(relay, 'calm', 'key', 'kept')).toMatchObject({ status: 201 })
  const agent = await joinAgent(after, { space: 'agents', url: relay.url })
  agent.set('small', 1)
  await agent.durable('relay')

  const auditor = new Auditor()
  const random = seededRandom('full-disk')
  const writer = new NumberedWriter({ name: 'raw', space: 'full', auditor, random, ballast: 20_000 })
  writer.connect(after, relay.url)
  await fill(writer)
  expect(writer.codes).toEqual([TRY_LATER])
  expect(auditor.count).toBeGreaterThan(10)
  expect(writer.waiting).toBeGreaterThan(0)

  // The relay may have made some room by compaction since.
  let confirmed = true
  let durable = Promise.resolve()
  for (let i = 0; confirmed; i++) {
    confirmed = false
    agent.set(`large/${i}`, random.text(LARGE_CHARS))
    durable = agent.durable('relay').then(() => {
      confirmed = true
    })
    await until('the agent hears', () => confirmed || agent.status.connection !== 'live')
  }
  await expectRefusals(relay)
  await expectReads(after, relay, auditor)
  // Again and again: what becomes acknowledged, because compaction has made room, is on the disk.
  writer.connect(after, relay.url)
  await until('the writer is refused again', () => writer.codes.length === 2 || writer.waiting === 0)
  expect(writer.codes.every((code) => code === TRY_LATER)).toBe(true)
  expect(complaints(auditor, await mustReadSpace(after, relay.url, 'full'))).toEqual([])
  expect(relay.exit).toBeUndefined()

  disk.relieve()
  if (then === 'restart') {
    await relay.kill()
    const other = await RelayProcess.start(after, { data, wrapper: disk.wrapper })
    expect(complaints(auditor, await mustReadSpace(after, other.url, 'full'))).toEqual([])
    await other.kill()
    relay = await RelayProcess.start(after, { data, port: relay.port, wrapper: disk.wrapper })
  }
  writer.connect(after, relay.url)
  agent.connect()
  await durable
  await until('everything is acknowledged', () => writer.waiting === 0)
  expect(complaints(auditor, await mustReadSpace(after, relay.url, 'full'))).toEqual([])
  expect(await put(relay, 'http', 'key', random.text(LARGE_CHARS))).toMatchObject({ status: 201 })
}

/** Writes until the relay ends the connection. */
async function fill(writer: NumberedWriter): Promise<void> {
  await until('the relay refuses', () => {
    if (writer.connected && writer.waiting < 8) writer.write()
    return writer.codes.length > 0
  })
}

/** A write that does not fit is answered, and by an error that says whether it was applied. */
async function expectRefusals(relay: RelayProcess): Promise<void> {
  const large = 'x'.repeat(LARGE_CHARS)
  let key = 0
  let refused = await put(relay, 'http', `key${key}`, large)
  while (refused.status === 201) refused = await put(relay, 'http', `key${++key}`, large)
  expect(refused).toMatchObject({
    status: 503,
    body: { error: { applied: expect.stringMatching(/no|maybe/) } },
  })
  // It must not be read as if it were there.
  const read = await fetch(`${relay.http}/v1/spaces/http/state/key${key}`)
  expect(read.status).toBe(404)
}

async function expectReads(after: After, relay: RelayProcess, auditor: Auditor): Promise<void> {
  const calm = await fetch(`${relay.http}/v1/spaces/calm/state`)
  expect([calm.status, await calm.json()]).toEqual([200, { key: 'kept' }])
  expect((await fetch(`${relay.http}/healthz`)).status).toBe(200)
  expect(await relay.metric('skein_log_failures_total')).toBeGreaterThan(0)
  expect(complaints(auditor, await mustReadSpace(after, relay.url, 'full'))).toEqual([])
}

function complaints(auditor: Auditor, doc: Y.Doc): string[] {
  return auditor.complaints(new Map(doc.getMap('state').entries()))
}

async function put(relay: RelayProcess, space: string, key: string, value: string) {
  const response = await fetch(`${relay.http}/v1/spaces/${space}/state/${key}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  })
  const body: unknown = await response.json()
  return { status: response.status, body }
}
