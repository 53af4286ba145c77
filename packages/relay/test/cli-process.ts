import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import type { ClusterStatus } from '../src/index.js'
import { until } from './helpers.js'

const CLI = path.resolve(import.meta.dirname, '../dist/cli.js')

/** The command line in a process of its own, which ends with the test. */
export class Cli {
  output = ''
  errors = ''
  code: number | null | undefined
  readonly child: ChildProcess

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout!.on('data', (chunk: Buffer) => {
      this.output += chunk.toString()
    })
    this.child.stderr!.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString()
    })
    this.child.once('close', (code) => {
      this.code = code
    })
    onTestFinished(() => {
      this.child.kill('SIGKILL')
    })
  }

  async listening(): Promise<this> {
    await until(`it listens: ${this.errors}`, () => /access/.test(this.output) || this.code !== undefined)
    return this
  }

  async ended(): Promise<number | null> {
    await until('it ends', () => this.code !== undefined)
    return this.code!
  }
}

export async function statusAt(url: string): Promise<ClusterStatus | undefined> {
  const response = await fetch(`${url.replace('ws:', 'http:')}/v1/cluster`).catch(() => undefined)
  return (await response?.json()) as ClusterStatus | undefined
}

export async function statusUntil(
  url: string,
  holds: (status: ClusterStatus) => boolean,
): Promise<ClusterStatus> {
  for (let tries = 0; tries < 1_000; tries++) {
    const status = await statusAt(url)
    if (status !== undefined && holds(status)) return status
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`waited in vain for ${url}: ${JSON.stringify(await statusAt(url))}`)
}
