import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

/** What a process can be asked to do: methods that take and return values that survive JSON. */
export type Api<T> = { readonly [name in keyof T]: (argument: never) => unknown }

type Argument<M> = M extends (argument: infer A) => unknown ? A : never
type Result<M> = M extends (argument: never) => infer R ? Awaited<R> : never

interface Ask {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}
type Reply = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string })

/** One of the bench's own processes. */
export class Child<T extends Api<T>> {
  private readonly waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  private readonly exited: Promise<unknown>
  private lastId = 0

  private constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
  ) {
    this.exited = once(child, 'exit')
    child.on('message', (message) => this.replied(message as Reply))
    child.on('exit', (code, signal) => {
      for (const { reject } of this.waiting.values())
        reject(new Error(`${name} ended with ${code ?? signal}`))
      this.waiting.clear()
    })
  }

  /** @param script beside this file, without its extension */
  static start<T extends Api<T>>(script: string): Child<T> {
    const child = fork(path.join(import.meta.dirname, `${script}.js`), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    return new Child<T>(script, child)
  }

  async ask<M extends keyof T & string>(method: M, argument: Argument<T[M]>): Promise<Result<T[M]>> {
    const id = ++this.lastId
    if (!this.child.connected) throw new Error(`${this.name} has ended`)
    const answered = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }))
    this.child.send({ id, method, argument } satisfies Ask)
    return (await answered) as Result<T[M]>
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }

  private replied(reply: Reply): void {
    const asked = this.waiting.get(reply.id)
    this.waiting.delete(reply.id)
    if ('error' in reply) asked?.reject(new Error(`${this.name}: ${reply.error}`))
    else asked?.resolve(reply.result)
  }
}

/** The other side of it: does what it is asked. A process whose bench is gone ends. */
export function serve<T extends Api<T>>(api: T): void {
  process.on('message', async (message) => {
    const { id, method, argument } = message as Ask
    try {
      const result = await api[method as keyof T](argument as never)
      process.send!({ id, result } satisfies Reply)
    } catch (error) {
      process.send!({ id, error: error instanceof Error ? error.message : String(error) } satisfies Reply)
    }
  })
  process.on('disconnect', () => process.exit())
}

/** Milliseconds of a clock that all processes of this machine share. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
