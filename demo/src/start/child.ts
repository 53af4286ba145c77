import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** After a polite request a child gets this long. */
const STOP_MS = 5_000

/** A Node program that runs as part of the demo; its output is shown with its name in front. */
export class Child {
  readonly name: string
  /** Resolves when the process has ended, with the reason in words. */
  readonly ended: Promise<string>
  readonly #process: ChildProcess
  readonly #ready: Promise<void>

  constructor(name: string, script: string, args: readonly string[]) {
    this.name = name
    this.#process = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => console.log(`  ${name.padEnd(7)} ${line}`))
    }
    this.#ready = new Promise((resolve) => this.#process.once('message', () => resolve()))
    this.ended = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve(`could not be started: ${error.message}`))
      this.#process.once('exit', (code, signal) =>
        resolve(signal ? `was ended by ${signal}` : `ended with code ${code}`),
      )
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  /** Resolves when the child says that it is ready; never, if it ends before. */
  get ready(): Promise<void> {
    return this.#ready
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    if (!this.hasEnded) this.#process.kill('SIGKILL')
    await this.ended
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return
    this.#process.kill('SIGTERM')
    const force = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS)
    await this.ended
    clearTimeout(force)
  }
}
