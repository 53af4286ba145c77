import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import path from 'node:path'
import type { ClusterArguments } from './cli-arguments.js'

interface Member {
  readonly id: string
  readonly child: ChildProcess
  readonly ended: Promise<void>
}

/**
 * `skein-relay --cluster`: relays as processes of their own, so that one can fail alone. Resolves when all
 * have ended; one that ends before it was told is reported, and the others go on.
 * @returns the exit code
 */
export async function runCluster(wanted: ClusterArguments): Promise<number> {
  const { members: count, host, dataDir, passed } = wanted
  const ports = await portsFor(wanted)
  const ids = ports.map((_port, i) => `r${i + 1}`)
  const urls = ports.map((port) => `ws://${host.includes(':') ? `[${host}]` : host}:${port}`)
  let isStopping = false
  let failed = 0

  const members = ids.map((id, i): Member => {
    const peers = ids.flatMap((other, j) => (other === id ? [] : ['--peer', `${other}=${urls[j]}`]))
    const place = ['--host', host, '--port', String(ports[i]), '--data', path.join(dataDir, id)]
    const child = spawn(process.execPath, [process.argv[1]!, ...place, '--id', id, ...peers, ...passed], {
      // A group of its own: a Ctrl-C reaches it once, from here. It ends, too, when its channel to here does.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const ended = new Promise<void>((resolve) => {
      child.once('error', (error) => {
        console.error(`error: ${id} cannot be started: ${error.message}`)
        resolve()
      })
      child.once('exit', (code, signal) => {
        if (!isStopping)
          console.error(`error: ${id} has ended (${signal ?? `exit code ${code}`}); the others go on`)
        if (code !== 0) failed++
        resolve()
      })
    })
    return { id, child, ended }
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      isStopping = true
      for (const { child } of members) child.kill(signal)
    })
  }
  await Promise.all(members.map(({ child, ended }) => Promise.race([isListening(child), ended])))
  for (const [i, { id, child }] of members.entries()) {
    if (child.exitCode === null) console.log(`relay  ${urls[i]}  ${id}, process ${child.pid}`)
  }
  console.log(`data   ${dataDir}`)
  console.log(`access open to programs on this machine only: no keys are configured`)
  await Promise.all(members.map(({ ended }) => ended))
  return failed === 0 || (isStopping && failed < count) ? 0 : 1
}

function isListening(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('message', () => resolve())
  })
}

async function portsFor({ members, basePort, host }: ClusterArguments): Promise<number[]> {
  if (basePort !== undefined) return Array.from({ length: members }, (_, i) => basePort + i)
  // Held open together, so that they differ.
  const servers = Array.from({ length: members }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, host, resolve)
    })
    const address = server.address()
    if (typeof address === 'object' && address !== null) ports.push(address.port)
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
  return ports
}
