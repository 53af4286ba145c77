import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Random, seededRandom, setting } from './support/seed.js'
import { StrongClient } from './support/strong-client.js'
import { RELAYS, StrongCluster } from './support/strong-cluster.js'
import { AgentEndpoint, HttpEndpoint } from './support/strong-endpoints.js'
import { FaultMaker } from './support/strong-faults.js'
import type { Seen } from './support/strong-history.js'
import { LoadClient, newTally, type Tally } from './support/strong-load.js'
import { StrongRecords } from './support/strong-records.js'
import { pause, until } from './support/until.js'

const MINUTES = setting('strong-minutes', 0)
const RUN_MS = MINUTES === 0 ? 20_000 : MINUTES * 60_000
const HTTP_CLIENTS = 6
const AGENTS = 3
/** Of the faults of a long run; the short one has no time for them. */
const LONG_SHARE = 0.05
const SPACE = 'space'
const PREFIX = 'lock/'
const PROGRESS_EVERY_MS = 30_000
/** After a fault has ended: connections come back, backoffs end. */
const RECOVERY_MS_MAX = 60_000

test(
  'what three relays say under faults is what one register would',
  async ({ onTestFinished: after }) => {
    const random = seededRandom('strong-soak')
    const cluster = await StrongCluster.start(after, { prefix: PREFIX })
    const client = new StrongClient(after, SPACE)
    // Stays where something is in it.
    const evidence = path.join(tmpdir(), `skein-strong-${random.seed}`)
    const records = new StrongRecords(PREFIX, evidence, () => ({
      faults: faults.recent,
      output: cluster.output,
    }))
    const tally = newTally()
    await recovered(client, cluster)

    const loads: LoadClient[] = []
    for (let i = 0; i < HTTP_CLIENTS + AGENTS; i++) {
      const own = new Random(random.seed + i + 1)
      const endpoint =
        i < HTTP_CLIENTS
          ? new HttpEndpoint(client, cluster, own)
          : await AgentEndpoint.join(after, cluster, SPACE, PREFIX, records, own)
      loads.push(new LoadClient(`c${i}`, endpoint, records, tally, own))
    }
    const faults: FaultMaker = new FaultMaker(cluster, random, MINUTES === 0 ? 0 : LONG_SHARE, async () => {
      await recovered(client, cluster)
      await judgeLeft(records, client, cluster, random)
    })
    const from = performance.now()
    const report = () => console.log(progress(performance.now() - from, tally, records, faults))
    const reporting = setInterval(report, PROGRESS_EVERY_MS)
    after(() => clearInterval(reporting))

    const working = [faults, ...loads].map((each) => each.run())
    await Promise.race([pause(RUN_MS), Promise.all(working)])
    for (const each of [faults, ...loads]) each.stop()
    await Promise.all(working)

    records.leaveAll()
    await judgeLeft(records, client, cluster, random)
    // All disks, once more alone: what was read so far may have been in memory.
    await Promise.all(RELAYS.map((id) => cluster.relay(id).kill()))
    await Promise.all(RELAYS.map((id) => cluster.startRelay(id)))
    await recovered(client, cluster)
    await records.audit((key) => mustRead(client, cluster, key, random))
    report()
    expect(records.violations.join('\n')).toBe('')
    expect(tally.done).toBeGreaterThan(RUN_MS / 1_000)
  },
  RUN_MS * 1.5 + 180_000,
)

/** Through each relay something can be written. */
async function recovered(client: StrongClient, cluster: StrongCluster): Promise<void> {
  for (const id of RELAYS) {
    const attempt = async () => {
      const action = { kind: 'write', data: '"probe"' } as const
      const reply = await client.send(cluster.relay(id).http, `${PREFIX}probe`, action, { deadlineMs: 2_000 })
      return reply.kind === 'done'
    }
    await until(() => `relay ${id} writes again; ${cluster.output}`, attempt, RECOVERY_MS_MAX)
  }
}

/** Reads each key that all have left, and has its whole history explained. */
async function judgeLeft(
  records: StrongRecords,
  client: StrongClient,
  cluster: StrongCluster,
  random: Random,
): Promise<void> {
  for (const record of records.left()) {
    const calledMs = performance.now()
    const seen = await mustRead(client, cluster, record.key, random)
    record.operations.push({
      client: 'last',
      action: { kind: 'read' },
      calledMs,
      returnedMs: performance.now(),
      ending: { kind: 'value', seen },
    })
    records.judge(record, seen)
  }
}

async function mustRead(
  client: StrongClient,
  cluster: StrongCluster,
  key: string,
  random: Random,
): Promise<Seen> {
  let seen: Seen | undefined
  const attempt = async () => {
    const http = cluster.relay(random.pick(RELAYS)).http
    const reply = await client.send(http, key, { kind: 'read' })
    if (reply.kind === 'value') seen = reply.seen
    return seen !== undefined
  }
  await until(`${key} is read`, attempt, RECOVERY_MS_MAX)
  return seen!
}

function progress(milliseconds: number, tally: Tally, records: StrongRecords, faults: FaultMaker): string {
  const outcomes = Object.entries(tally).map(([kind, count]) => `${kind} ${count}`)
  const rssMiB = Math.round(process.memoryUsage.rss() / 2 ** 20)
  return (
    `strong-soak: ${(milliseconds / 1_000).toFixed(0)} s; ${outcomes.join(', ')}; ${faults.count} faults; ` +
    `${records.checkedKeys} keys explained; ${records.violations.length} violations; ${rssMiB} MiB` +
    records.violations.map((text) => `\n  ${text}`).join('')
  )
}
