import { readFileSync } from 'node:fs'
import { median } from '../relay/results.js'
import type { StrongCase, StrongMetric } from './case.js'
import type { Store, StoreClient } from './stores/store.js'

const PER_SECOND = { unit: '/s', moreIsBetter: true } as const
const CPU: StrongMetric = { label: 'CPU of the three, each', unit: 'us' }
const LATENCY = { p50: { label: 'p50', unit: 'ms' }, p99: { label: 'p99', unit: 'ms' } }

const CASES: readonly StrongCase[] = [
  {
    name: 'compare-and-set, one after the other',
    contenders: ['etcd', 'skein'],
    metrics: { ...LATENCY, cpu: CPU },
    run: (store, milliseconds) => measure(store, milliseconds, ownKeys(1), updates),
  },
  ...[16, 64].flatMap((clients): StrongCase[] => [
    {
      name: `compare-and-set, ${clients} clients, a key each`,
      contenders: ['etcd', 'skein'],
      metrics: { rate: { label: 'successes', ...PER_SECOND }, ...LATENCY, cpu: CPU },
      run: (store, milliseconds) => measure(store, milliseconds, ownKeys(clients), updates),
    },
    {
      name: `compare-and-set, ${clients} clients on one key`,
      contenders: ['etcd', 'etcd-else', 'skein'],
      metrics: { rate: { label: 'successes', ...PER_SECOND }, ...LATENCY, cpu: CPU },
      run: (store, milliseconds) => measure(store, milliseconds, Array(clients).fill('contended'), updates),
    },
  ]),
  {
    name: 'linearizable reads, 64 clients, a key each',
    contenders: ['etcd', 'skein'],
    metrics: { rate: { label: 'reads', ...PER_SECOND }, ...LATENCY, cpu: CPU },
    run: (store, milliseconds) => measure(store, milliseconds, ownKeys(64), reads),
  },
]

/**
 * The cases whose names contain any of these texts; all of them where there are none.
 * @throws Error where a text is in no name
 */
export function strongCasesNamed(only: readonly string[]): readonly StrongCase[] {
  for (const text of only) {
    if (CASES.some(({ name }) => name.includes(text))) continue
    throw new Error(
      `no case is called "${text}"; there are:\n${CASES.map(({ name }) => `  ${name}`).join('\n')}`,
    )
  }
  return only.length === 0 ? CASES : CASES.filter(({ name }) => only.some((text) => name.includes(text)))
}

function ownKeys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `key-${i}`)
}

/** What a client does again and again; `succeeded` is called after each time. */
type Work = (client: StoreClient, key: string, going: () => boolean, succeeded: () => void) => Promise<void>

/** A client for each of the keys: all work for a while unmeasured, and then on while it counts. */
async function measure(store: Store, milliseconds: number, keys: readonly string[], work: Work) {
  const clients = await Promise.all(keys.map((key) => store.client(key)))
  let phase: 'warm-up' | 'counting' | 'over' = 'warm-up'
  const latencies: number[] = []
  const working = clients.map((client, i) => {
    let since = performance.now()
    return work(
      client,
      keys[i]!,
      () => phase !== 'over',
      () => {
        const now = performance.now()
        if (phase === 'counting') latencies.push(now - since)
        since = now
      },
    )
  })
  const all = Promise.all(working)
  await Promise.race([pause(milliseconds / 3), all])
  const cpuBefore = cpuSeconds(store.pids)
  const from = performance.now()
  phase = 'counting'
  await Promise.race([pause(milliseconds), all])
  phase = 'over'
  const seconds = (performance.now() - from) / 1_000
  const cpu = cpuSeconds(store.pids) - cpuBefore
  const count = latencies.length
  await all
  for (const client of clients) client.close()
  if (count === 0) throw new Error('nothing succeeded')
  const sorted = latencies.toSorted((a, b) => a - b)
  return {
    rate: count / seconds,
    p50: median(sorted),
    p99: sorted[Math.floor(sorted.length * 0.99)]!,
    ...(Number.isFinite(cpu) && { cpu: (cpu / count) * 1e6 }),
  }
}

/** Each success counts from the one before, with all attempts that it took. */
async function updates(
  client: StoreClient,
  key: string,
  going: () => boolean,
  succeeded: () => void,
): Promise<void> {
  let version = await client.read(key)
  for (let n = 0; going(); ) {
    const attempt = await client.compareAndSet(key, version, `{"owner":"client","n":${n}}`)
    if (attempt.applied) {
      n++
      version = attempt.version
      succeeded()
    } else if (attempt.current !== undefined) {
      version = attempt.current.version
    } else {
      version = await client.read(key)
    }
  }
}

async function reads(
  client: StoreClient,
  key: string,
  going: () => boolean,
  succeeded: () => void,
): Promise<void> {
  await client.compareAndSet(key, undefined, '{"owner":"client","n":0}')
  while (going()) {
    if ((await client.read(key)) === undefined) throw new Error(`${key} was written and is not there`)
    succeeded()
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** What Linux has counted so far, all threads, user and system; NaN elsewhere. */
function cpuSeconds(pids: readonly number[]): number {
  if (process.platform !== 'linux') return Number.NaN
  const ticks = pids.map((pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name, which may contain anything, the state comes first: utime is 11 fields on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(fields[11]) + Number(fields[12])
  })
  return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND
}

/** USER_HZ, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
