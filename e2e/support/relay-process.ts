import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { TestProcess } from './process.js'

const CLI = path.resolve(import.meta.dirname, '../../packages/relay/dist/cli.js')

/** A relay in a process of its own, on a free port and a data directory of its own. */
export class RelayProcess {
  url = ''
  private readonly data = mkdtempSync(path.join(tmpdir(), 'skein-e2e-'))
  private process: TestProcess | undefined
  private port = 0

  /** Starts it; again on the same port and data if it ran before. */
  async start(): Promise<this> {
    this.process = new TestProcess(CLI, ['--port', String(this.port), '--data', this.data])
    this.url = (await this.process.printed(/ws:\/\/\S+/))[0]
    this.port = Number(new URL(this.url).port)
    return this
  }

  /** Ends the process without giving it a chance to do anything. */
  async kill(): Promise<void> {
    await this.process?.end('SIGKILL')
  }

  async dispose(): Promise<void> {
    await this.kill()
    rmSync(this.data, { recursive: true, force: true })
  }
}
