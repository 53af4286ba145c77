import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** `bare`: a `ws` server that forwards frames; `stock`: @y/websocket-server 0.1.1; `skein`: this relay. */
export type ContenderName = 'bare' | 'stock' | 'skein'
export const CONTENDERS: readonly ContenderName[] = ['bare', 'stock', 'skein']

export type Request = { readonly ask: 'usage' | 'collect' }
export type Reply = { readonly port: number } | Usage
export interface Usage {
  /** CPU time since the start of the process, user and system, in microseconds. */
  readonly cpuUs: number
  readonly rssBytes: number
  readonly rssMaxBytes: number
}

/** A contender in a process of its own. */
export class Contender {
  private constructor(
    readonly name: ContenderName,
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly dataDir: string,
  ) {}

  static async start(name: ContenderName): Promise<Contender> {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'skein-bench-'))
    const child = fork(path.join(import.meta.dirname, 'server-process.js'), [name, dataDir], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const { port } = (await answer(child)) as { port: number }
    return new Contender(name, `ws://127.0.0.1:${port}`, child, dataDir)
  }

  async usage(ask: Request['ask'] = 'usage'): Promise<Usage> {
    const reply = answer(this.child)
    this.child.send({ ask } satisfies Request)
    return (await reply) as Usage
  }

  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await exited
    rmSync(this.dataDir, { recursive: true, force: true })
  }
}

function answer(child: ChildProcess): Promise<Reply> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Reply))
    child.once('exit', (code) => reject(new Error(`a contender's process ended with ${code}`)))
  })
}
