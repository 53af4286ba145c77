import type { LabRelay } from '../model/lab.js'
import { Child } from './child.js'
import type { ClusterRelay } from './cluster.js'
import type { Line } from './line.js'
import { whenListening } from './ports.js'

/** A relay of the demo: a process that may end and be started again, behind a line that stays. */
export class LocalRelay {
  readonly id: string
  readonly line: Line
  readonly #script: string
  readonly #relay: ClusterRelay
  readonly #ended: (id: string, reason: string) => void
  #child: Child | undefined
  #isStarting = false

  /** `ended` is told whenever the process has ended, for whatever reason, and why. */
  constructor(script: string, relay: ClusterRelay, line: Line, ended: (id: string, reason: string) => void) {
    this.id = relay.id
    this.line = line
    line.relayPort = relay.port
    this.#script = script
    this.#relay = relay
    this.#ended = ended
  }

  get isRunning(): boolean {
    return this.#child !== undefined && !this.#child.hasEnded
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get state(): LabRelay {
    const { id, line } = this
    const process = !this.isRunning ? 'ended' : this.#isStarting ? 'starting' : 'running'
    return { id, port: line.port, process, line: line.mode }
  }

  /** Starts the process, unless it runs, and resolves when it listens. @throws Error if it ends before */
  async start(signal: AbortSignal): Promise<void> {
    if (this.isRunning) return
    const child = new Child(this.id, this.#script, this.#relay.args)
    this.#child = child
    this.#isStarting = true
    const ended = child.ended.then((reason) => {
      this.#ended(this.id, reason)
      return reason
    })
    const early = new AbortController()
    try {
      const died = ended.then((reason) => {
        throw new Error(`The relay ${this.id} ${reason}, before it listened.`)
      })
      const listening = whenListening(this.#relay.port, AbortSignal.any([signal, early.signal]))
      await Promise.race([listening, died])
    } finally {
      early.abort()
      this.#isStarting = false
    }
  }

  /** Ends the process without giving it a chance to do anything. */
  async kill(): Promise<void> {
    await this.#child?.kill()
  }

  /** Ends it politely, and its line. */
  async stop(): Promise<void> {
    this.line.close()
    await this.#child?.stop()
  }
}
