import { type ChildProcess, fork } from 'node:child_process'
import path from 'node:path'

/**
 * `bare`: a `ws` server that forwards frames; `blob`: one that sends joiners one stored update; `stock`:
 * @y/websocket-server 0.1.1; `hocuspocus`: @hocuspocus/server, where it is installed; `skein`: this relay.
 */
export type ContenderName = 'bare' | 'blob' | 'stock' | 'hocuspocus' | 'skein'

export type Request = { readonly ask: 'usage' | 'collect' | 'stop' }
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
    readonly dataDir: string,
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(name: ContenderName, dataDir: string): Promise<Contender> {
    const child = fork(path.join(import.meta.dirname, 'server-process.js'), [name, dataDir], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const { port } = (await answer(child)) as { port: number }
    return new Contender(name, dataDir, `ws://127.0.0.1:${port}`, child)
  }

  /** Whether it numbers and acknowledges updates. */
  get acknowledges(): boolean {
    return this.name === 'skein'
  }

  async usage(ask: 'usage' | 'collect' = 'usage'): Promise<Usage> {
    const reply = answer(this.child)
    this.child.send({ ask } satisfies Request)
    return (await reply) as Usage
  }

  /** Waits until the server has nothing left to do, such as writing what it has confirmed in another form. */
  async idle(): Promise<void> {
    for (let before = await this.usage(); ; ) {
      await new Promise((resolve) => setTimeout(resolve, IDLE_CHECK_MS))
      const after = await this.usage()
      if (after.cpuUs - before.cpuUs < IDLE_CPU_US) return
      before = after
    }
  }

  /** Lets it end by itself, with everything written. */
  async stop(): Promise<void> {
    const exited = this.exited()
    this.child.send({ ask: 'stop' } satisfies Request)
    await exited
  }

  /** Ends it at once, with SIGKILL. */
  async kill(): Promise<void> {
    const exited = this.exited()
    this.child.kill('SIGKILL')
    await exited
  }

  private async exited(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    await new Promise((resolve) => this.child.once('exit', resolve))
  }
}

/** Longer than a relay waits until it takes a room for being at rest. */
const IDLE_CHECK_MS = 3_000
const IDLE_CPU_US = 30_000

function answer(child: ChildProcess): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown) => {
      child.off('exit', onExit)
      resolve(message as Reply)
    }
    const onExit = (code: number | null) => {
      child.off('message', onMessage)
      reject(new Error(`a contender's process ended with ${code}`))
    }
    child.once('message', onMessage)
    child.once('exit', onExit)
  })
}
