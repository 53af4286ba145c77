import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { limitedFileSize } from './support/limited-disk.js'
import { RelayProcess, temporaryDirectory } from './support/relay-process.js'
import { mustRead, mustWrite } from './support/strong-agent.js'
import { StrongClient } from './support/strong-client.js'
import { RELAYS, type RelayId, StrongCluster } from './support/strong-cluster.js'
import { type After, until } from './support/until.js'

const PREFIX = 'lock/'
const KEY = `${PREFIX}front`
/** Long enough for two relays that count each other. */
const WITHIN_MS = 2_000

describe.concurrent('who may not take part', () => {
  test('a relay whose directory was wiped is not the member that it was', async ({
    onTestFinished: after,
  }) => {
    const { cluster, client } = await start(after)
    await mustWrite(client, cluster, KEY, '"kept"')
    await cluster.relay('r3').kill()
    rmSync(cluster.data.r3, { recursive: true })
    await expectNoVote(after, cluster, client, cluster.data.r3)
  })

  test('a relay of another cluster is not a member of this one', async ({ onTestFinished: after }) => {
    const other = await start(after)
    await mustWrite(other.client, other.cluster, KEY, '"other"')
    for (const id of RELAYS) await other.cluster.relay(id).kill()

    const { cluster, client } = await start(after)
    await mustWrite(client, cluster, KEY, '"kept"')
    await cluster.relay('r3').kill()
    await expectNoVote(after, cluster, client, other.cluster.data.r3)
  })
})

/** A relay that calls itself r3 on this directory makes no quorum with r1. The members are none the worse. */
async function expectNoVote(
  after: After,
  cluster: StrongCluster,
  client: StrongClient,
  data: string,
): Promise<void> {
  const impostor = await RelayProcess.tryStart(after, { data, args: cluster.clusterArgs('r3') })
  cluster.connectTo('r3', impostor.port)
  await cluster.relay('r2').kill()
  const isRefused = () => impostor.exit !== undefined || /foreign-store|refused/.test(impostor.output)
  await until(() => `the relay is told that it is none of them: ${impostor.output}`, isRefused)
  const options = { deadlineMs: WITHIN_MS }
  const { http } = cluster.relay('r1')
  const [write, ...reads] = await Promise.all([
    client.send(http, KEY, { kind: 'write', data: '"wrong"' }, options),
    client.send(http, KEY, { kind: 'read' }, options),
    client.send(impostor.http, KEY, { kind: 'read' }, options),
  ])
  expect(write).not.toMatchObject({ kind: 'done' })
  expect(reads).toEqual([{ kind: 'unavailable' }, { kind: 'unavailable' }])
  await impostor.kill()
  await cluster.startRelay('r2')
  const { data: seen } = await mustRead(client, cluster, KEY, ['r1', 'r2'])
  expect(['"kept"', '"wrong"']).toContain(seen)
  await mustWrite(client, cluster, KEY, '"on"')
}

test('one of three with a full disk holds nobody up, and comes back', async ({ onTestFinished: after }) => {
  const disk = limitedFileSize(after)
  const cluster = await StrongCluster.start(after, {
    prefix: PREFIX,
    data: { r3: disk.data },
    wrapper: (id: RelayId) => (id === 'r3' ? disk.wrapper : []),
  })
  const client = new StrongClient(after, 'space')
  const large = (i: number) => JSON.stringify(`${i} ${'x'.repeat(LARGE_CHARS)}`)
  for (let i = 0; i < LARGE_KEYS; i++) await mustWrite(client, cluster, `${PREFIX}${i}`, large(i))
  // The one that is full says no more than it knows.
  for (let i = 0; i < LARGE_KEYS; i += 10) {
    const reply = await client.send(cluster.relay('r1').http, `${PREFIX}${i}`, { kind: 'read' })
    expect(reply).toMatchObject({ kind: 'value', seen: { data: large(i) } })
  }
  const { exit, output } = cluster.relay('r3')
  console.log(
    `strong-members: the full relay ${exit === undefined ? 'runs' : 'has ended'}: ${output.slice(-300)}`,
  )

  disk.relieve()
  await cluster.relay('r3').kill()
  await cluster.startRelay('r3')
  await cluster.relay('r1').kill()
  for (let i = 0; i < LARGE_KEYS; i++) {
    expect((await mustRead(client, cluster, `${PREFIX}${i}`, ['r2', 'r3'])).data).toBe(large(i))
  }
  await mustWrite(client, cluster, KEY, '"with the one that was full"')
})

/** Three times what the limited disk takes. */
const LARGE_CHARS = 50_000
const LARGE_KEYS = 90

const FAKE_TIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'
if (!existsSync(FAKE_TIME)) {
  console.log('strong-members: no clock is moved, for libfaketime is not installed (Debian: faketime)')
}

test.skipIf(!existsSync(FAKE_TIME))(
  'clocks that jump by hours, each its own way, change nothing that was decided',
  async ({ onTestFinished: after }) => {
    const clocks = temporaryDirectory(after)
    const file = (id: RelayId) => `${clocks}/${id}`
    for (const id of RELAYS) writeFileSync(file(id), '+0')
    const cluster = await StrongCluster.start(after, {
      prefix: PREFIX,
      wrapper: (id) => [
        ...['env', `LD_PRELOAD=${FAKE_TIME}`, `FAKETIME_TIMESTAMP_FILE=${file(id)}`],
        ...['FAKETIME_NO_CACHE=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1'],
      ],
    })
    const client = new StrongClient(after, 'space')
    let written = 0
    for (const offsets of [
      ['+3h', '-2h', '+0'],
      ['-1d', '+1d', '+30d'],
      ['+0', '+0', '-5h'],
    ]) {
      RELAYS.forEach((id, i) => {
        writeFileSync(file(id), offsets[i]!)
      })
      for (const id of RELAYS) {
        await mustWrite(client, cluster, KEY, String(++written))
        expect((await mustRead(client, cluster, KEY, [id])).data).toBe(String(written))
      }
    }
  },
)

async function start(after: After): Promise<{ cluster: StrongCluster; client: StrongClient }> {
  const cluster = await StrongCluster.start(after, { prefix: PREFIX })
  const client = new StrongClient(after, 'space')
  await until('the cluster works', async () => {
    const probe = { kind: 'write', data: '0' } as const
    return (await client.send(cluster.relay('r1').http, `${PREFIX}ready`, probe)).kind === 'done'
  })
  return { cluster, client }
}
