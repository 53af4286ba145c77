import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { After } from './until.js'

const SCRIPT = path.resolve(import.meta.dirname, '../children/agent.mjs')

/** An agent in a process of its own. */
export class AgentProcess {
  /** What it said last. */
  connection = ''
  digest = ''
  private readonly child: ChildProcess

  constructor(after: After, url: string, space: string) {
    this.child = spawn(process.execPath, [SCRIPT, url, space], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface(this.child.stdout!).on('line', (line) => {
      const [connection = '', digest = ''] = line.split(' ')
      this.connection = connection
      this.digest = digest
    })
    // Not a polite signal: a stopped process takes none.
    after(async () => {
      if (this.running && this.child.kill('SIGKILL')) await once(this.child, 'exit')
    })
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  set(key: string): void {
    this.child.stdin!.write(`${key}\n`)
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
}
