import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import path from 'node:path'
import { HttpConnection } from '../http-connection.js'
import { freePorts, Members } from './members.js'
import type { Attempt, Store, StoreClient, Version } from './store.js'

const IDS = ['r1', 'r2', 'r3']
const PREFIX = 'bench/'

/** Three relays of one cluster as their command line starts them. */
export async function startSkein(): Promise<Store> {
  const members = new Members()
  try {
    const ports = await freePorts(IDS.length)
    IDS.forEach((id, i) => {
      const peers = IDS.flatMap((peer, j) =>
        j === i ? [] : ['--peer', `${peer}=ws://127.0.0.1:${ports[j]}`],
      )
      members.start(process.execPath, [
        relayCli(),
        ...['--id', id, '--port', String(ports[i]), '--data', members.dataDir(id)],
        ...['--strong', PREFIX, ...peers],
      ])
    })
    for (const [i, port] of ports.entries())
      await members.ready(`relay ${IDS[i]} has a quorum`, async () => (await canWrite(port)) || undefined)
    return {
      pids: members.pids,
      client: async (key) => new SkeinClient(await HttpConnection.open(preferred(key, ports))),
      stop: () => members.stop(),
    }
  } catch (error) {
    await members.stop()
    throw error
  }
}

/** Beside the package's entry, so that what is measured is what a user would start. */
function relayCli(): string {
  return path.join(path.dirname(createRequire(import.meta.url).resolve('@skein/relay')), 'cli.js')
}

async function canWrite(port: number): Promise<boolean> {
  const connection = await HttpConnection.open(port)
  try {
    const { status } = await connection.request('PUT', pathOf('ready'), '', '0')
    return status === 200 || status === 201
  } finally {
    connection.close()
  }
}

/** Rendezvous hashing, as agents do it: all clients of a key use one relay, and keys are spread. */
function preferred(key: string, ports: readonly number[]): number {
  const weight = (port: number) =>
    createHash('sha256')
      .update(`${ports.indexOf(port)} ${key}`)
      .digest()
      .readUInt32BE()
  return ports.toSorted((a, b) => weight(b) - weight(a))[0]!
}

interface EntryBody {
  readonly version: number
}

class SkeinClient implements StoreClient {
  constructor(private readonly connection: HttpConnection) {}

  async read(key: string): Promise<Version> {
    const { status, body } = await this.connection.request('GET', pathOf(key), '')
    if (status === 404) return undefined
    if (status !== 200) throw new Error(`a relay answered ${status}: ${body}`)
    return versionIn(body)
  }

  async compareAndSet(key: string, version: Version, value: string): Promise<Attempt> {
    const condition = version === undefined ? 'if-none-match: *\r\n' : `if-match: "${version}"\r\n`
    const { status, body } = await this.connection.request('PUT', pathOf(key), condition, value)
    if (status === 200 || status === 201) return { applied: true, version: versionIn(body) }
    if (status === 412) return { applied: false, current: { version: currentIn(body) } }
    throw new Error(`a relay answered ${status}: ${body}`)
  }

  close(): void {
    this.connection.close()
  }
}

function versionIn(body: string): Version {
  return String((JSON.parse(body) as EntryBody).version)
}

/** What is there instead; a version that belongs to no value, after a deletion, is compared with by none. */
function currentIn(body: string): Version {
  const { current } = JSON.parse(body) as { current: EntryBody & { value?: unknown } }
  return current.value === undefined ? undefined : String(current.version)
}

function pathOf(key: string): string {
  return `/v1/spaces/bench/strong/${encodeURIComponent(PREFIX + key)}`
}
