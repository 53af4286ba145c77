import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { After } from './until.js'

const CLI = path.resolve(import.meta.dirname, '../../../packages/relay/dist/cli.js')
/** What is kept of a relay's output: a fuzz makes it say a lot. */
const OUTPUT_CHARS_MAX = 200_000

export interface RelayProcessOptions {
  readonly data: string
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** A command in front of `node`, such as `sh -c 'ulimit -f 1; exec "$@"' -`; it must end in an exec. */
  readonly wrapper?: readonly string[]
  /** More of the relay's own options. */
  readonly args?: readonly string[]
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The relay's command line in a process of its own. */
export class RelayProcess {
  url = ''
  port = 0
  output = ''
  exit: Exit | undefined
  readonly exited: Promise<Exit>
  private readonly child: ChildProcess

  private constructor({ data, port = 0, wrapper = [], args: more = [] }: RelayProcessOptions) {
    const own = ['--port', String(port), '--data', data, ...more]
    const [command, ...args] = [...wrapper, process.execPath, CLI, ...own]
    this.child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-OUTPUT_CHARS_MAX)
      })
    }
    // `close`, not `exit`: only then all output has been read.
    this.exited = new Promise((resolve) =>
      this.child.once('close', (code, signal) => {
        this.exit = { code, signal }
        resolve(this.exit)
      }),
    )
  }

  /** Starts one and waits until it listens, or has ended without: then `exit` is set. */
  static async tryStart(after: After, options: RelayProcessOptions): Promise<RelayProcess> {
    const relay = new RelayProcess(options)
    after(() => relay.kill())
    // The last line that it prints before it serves.
    while (relay.exit === undefined && !/^access /m.test(relay.output)) {
      await Promise.race([new Promise((resolve) => relay.child.stdout!.once('data', resolve)), relay.exited])
    }
    relay.url = /ws:\/\/\S+/.exec(relay.output)?.[0] ?? ''
    relay.port = relay.url === '' ? 0 : Number(new URL(relay.url).port)
    return relay
  }

  static async start(after: After, options: RelayProcessOptions): Promise<RelayProcess> {
    const relay = await RelayProcess.tryStart(after, options)
    if (relay.exit !== undefined) throw new Error(`the relay did not start:\n${relay.output}`)
    return relay
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Ends the process without giving it a chance to do anything. Works on a stopped one, too. */
  async kill(): Promise<void> {
    await this.end('SIGKILL')
  }

  async end(signal: NodeJS.Signals): Promise<Exit> {
    if (this.exit === undefined) this.child.kill(signal)
    return this.exited
  }

  get http(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** One number of `/metrics`. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.http}/metrics`)).text()
    const match = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)
    if (match === null) throw new Error(`no ${name} in /metrics`)
    return Number(match[1])
  }

  /** Memory that is in RAM, in MiB. */
  rssMiB(): number {
    const kib = execFileSync('ps', ['-o', 'rss=', '-p', String(this.child.pid)], { encoding: 'utf8' })
    return Math.round(Number(kib) / 1024)
  }
}

/** A directory that goes with the test. */
export function temporaryDirectory(after: After): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'skein-faults-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
