import { spawnSync } from 'node:child_process'
import { HttpConnection } from '../http-connection.js'
import { freePorts, Members } from './members.js'
import type { Attempt, Store, StoreClient, Version } from './store.js'

/** Why there is no etcd here; undefined where there is one. */
export function whyNoEtcd(): string | undefined {
  const { status } = spawnSync('etcd', ['--version'], { stdio: 'ignore' })
  return status === 0 ? undefined : 'etcd is not installed (Debian: etcd-server)'
}

export function etcdVersion(): string {
  const { stdout } = spawnSync('etcd', ['--version'], { encoding: 'utf8' })
  return /etcd Version: (\S+)/.exec(stdout ?? '')?.[1] ?? 'unknown'
}

/**
 * Three members as they come, over the JSON gateway of the leader: no operation takes a step more than it
 * needs.
 * @param readsInRefusal whether a compare-and-set asks for the current entry in the same transaction
 */
export async function startEtcd(readsInRefusal: boolean): Promise<Store> {
  const members = new Members()
  try {
    const ports = await freePorts(6)
    const peers = NAMES.map((name, i) => ({
      name,
      clients: ports[i]!,
      url: `http://127.0.0.1:${ports[i + 3]}`,
    }))
    const cluster = peers.map(({ name, url }) => `${name}=${url}`).join(',')
    for (const { name, clients, url } of peers) {
      const clientUrl = `http://127.0.0.1:${clients}`
      members.start('etcd', [
        ...['--name', name, '--data-dir', members.dataDir(name)],
        ...['--listen-peer-urls', url, '--initial-advertise-peer-urls', url],
        ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
        ...['--initial-cluster', cluster, '--initial-cluster-token', String(ports[0])],
        ...['--logger', 'zap', '--log-level', 'error'],
      ])
    }
    const port = await members.ready('etcd has a leader', () =>
      leaderAmong(peers.map((peer) => peer.clients)),
    )
    return {
      pids: members.pids,
      client: async () => new EtcdClient(await HttpConnection.open(port), readsInRefusal),
      stop: () => members.stop(),
    }
  } catch (error) {
    await members.stop()
    throw error
  }
}

const NAMES = ['m1', 'm2', 'm3']

/** The client port of the member that all of them take for the leader. */
async function leaderAmong(ports: readonly number[]): Promise<number | undefined> {
  const views = await Promise.all(ports.map(statusOf))
  const leader = views[0]?.leader
  if (leader === undefined || views.some((view) => view.leader !== leader)) return undefined
  return ports[views.findIndex(({ id }) => id === leader)]
}

async function statusOf(port: number): Promise<{ id: string; leader: string | undefined }> {
  const connection = await HttpConnection.open(port)
  try {
    const { body } = await connection.request('POST', '/v3/maintenance/status', '', '{}')
    const { header, leader } = JSON.parse(body) as { header: { member_id: string }; leader?: string }
    return { id: header.member_id, leader }
  } finally {
    connection.close()
  }
}

interface Range {
  readonly kvs?: readonly { readonly mod_revision: string }[]
}

interface Transaction {
  readonly header: { readonly revision: string }
  /** Left out where it is false. */
  readonly succeeded?: true
  readonly responses?: readonly { readonly response_range?: Range }[]
}

class EtcdClient implements StoreClient {
  constructor(
    private readonly connection: HttpConnection,
    private readonly readsInRefusal: boolean,
  ) {}

  async read(key: string): Promise<Version> {
    return versionIn(await this.post<Range>('/v3/kv/range', { key: base64(key) }))
  }

  async compareAndSet(key: string, version: Version, value: string): Promise<Attempt> {
    const name = base64(key)
    const { succeeded, header, responses } = await this.post<Transaction>('/v3/kv/txn', {
      compare: [{ key: name, target: 'MOD', mod_revision: version ?? ABSENT }],
      success: [{ request_put: { key: name, value: base64(value) } }],
      ...(this.readsInRefusal && { failure: [{ request_range: { key: name } }] }),
    })
    if (succeeded) return { applied: true, version: header.revision }
    const range = responses?.[0]?.response_range
    return { applied: false, ...(range && { current: { version: versionIn(range) } }) }
  }

  close(): void {
    this.connection.close()
  }

  private async post<T>(path: string, request: unknown): Promise<T> {
    const { status, body } = await this.connection.request('POST', path, '', JSON.stringify(request))
    if (status !== 200) throw new Error(`etcd answered ${status}: ${body}`)
    return JSON.parse(body) as T
  }
}

/** The revision of a key that was never written. */
const ABSENT = '0'

function versionIn({ kvs }: Range): Version {
  return kvs?.[0]?.mod_revision
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
