import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Processes of one store: they end together, and their directories go with them. */
export class Members {
  private readonly directory = mkdtempSync(path.join(tmpdir(), 'skein-bench-'))
  private readonly children: { readonly child: ChildProcess; readonly exited: Promise<unknown> }[] = []
  private output = ''
  /** Not left behind by a bench that is interrupted, if it ends by `process.exit`. */
  private readonly onExit = () => {
    for (const { child } of this.children) child.kill('SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }

  constructor() {
    process.on('exit', this.onExit)
  }

  dataDir(name: string): string {
    return path.join(this.directory, name)
  }

  start(command: string, args: readonly string[]): void {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-OUTPUT_CHARS_MAX)
      })
    }
    this.children.push({ child, exited: once(child, 'close') })
  }

  get pids(): readonly number[] {
    return this.children.map(({ child }) => child.pid!)
  }

  /** Asks again and again until it is given something; refusals to connect count as nothing. */
  async ready<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    const end = Date.now() + READY_MS_MAX
    while (Date.now() < end) {
      const answer = await ask().catch(() => undefined)
      if (answer !== undefined) return answer
      if (this.children.some(({ child }) => child.exitCode !== null)) break
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
    throw new Error(`waited in vain until ${what}; the last output:\n${this.output}`)
  }

  async stop(): Promise<void> {
    process.off('exit', this.onExit)
    for (const { child } of this.children) child.kill('SIGKILL')
    await Promise.all(this.children.map(({ exited }) => exited))
    rmSync(this.directory, { recursive: true, force: true })
  }
}

const READY_MS_MAX = 30_000
const ASK_EVERY_MS = 50
const OUTPUT_CHARS_MAX = 4_000

/** Ports that nobody listens on now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
