import { createRequire } from 'node:module'
import path from 'node:path'
import { freePorts, Members } from '../../strong/stores/members.js'

const IDS = ['r1', 'r2', 'r3']

/** Three relay processes of one cluster, as the command line starts them. */
export interface Cluster {
  readonly ports: readonly number[]
  stop(): Promise<void>
}

export async function startCluster(): Promise<Cluster> {
  const members = new Members()
  try {
    const ports = await freePorts(IDS.length)
    for (const [i, id] of IDS.entries()) {
      const peers = IDS.flatMap((peer, j) =>
        j === i ? [] : ['--peer', `${peer}=ws://127.0.0.1:${ports[j]}`],
      )
      members.start(process.execPath, [
        relayCli(),
        ...['--id', id, '--port', String(ports[i]), '--data', members.dataDir(id)],
        ...['--log-level', 'warn', ...peers],
      ])
    }
    for (const [i, port] of ports.entries()) {
      await members.ready(`relay ${IDS[i]} has met the others`, async () => (await hasMet(port)) || undefined)
    }
    return { ports, stop: () => members.stop() }
  } catch (error) {
    await members.stop()
    throw error
  }
}

/** Before that spaces that are new cannot be used. */
async function hasMet(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/cluster`)
  const { formed, connected } = (await answer.json()) as { formed: boolean; connected: readonly string[] }
  return formed && connected.length === IDS.length - 1
}

/** Beside the package's entry, so that what is measured is what a user would start. */
function relayCli(): string {
  return path.join(path.dirname(createRequire(import.meta.url).resolve('@skein/relay')), 'cli.js')
}
