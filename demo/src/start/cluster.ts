import { join } from 'node:path'
import { STRONG_PREFIXES } from '../model/keys.js'
import { HOST } from './ports.js'

/** As many as can lose one and still have a majority. */
export const RELAY_IDS: readonly string[] = ['r1', 'r2', 'r3']

export interface ClusterRelay {
  readonly id: string
  readonly port: number
  readonly url: string
  /** The command line of its relay process. */
  readonly args: readonly string[]
}

/** Relays on these ports, one for each of {@link RELAY_IDS}, that know each other as one cluster. */
export function clusterOn(ports: readonly number[], data: string): ClusterRelay[] {
  const all = RELAY_IDS.map((id, index) => ({ id, port: ports[index]!, url: `ws://${HOST}:${ports[index]}` }))
  return all.map(({ id, port, url }) => {
    const peers = all.filter((peer) => peer.id !== id).flatMap((peer) => ['--peer', `${peer.id}=${peer.url}`])
    const strong = STRONG_PREFIXES.flatMap((prefix) => ['--strong', prefix])
    const own = ['--id', id, '--host', HOST, '--port', String(port), '--data', join(data, id)]
    // Three logs at once would bury what the demo itself has to say.
    const quiet = ['--log-level', 'warn']
    return { id, port, url, args: [...own, ...peers, ...strong, ...quiet] }
  })
}
