import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { MTU_BYTES } from './plan.js'

/** Of all namespaces that are made here, and of no others. */
const PREFIX = 'skein-bench-'

/** A network namespace with nothing but loopback. */
export class Namespace {
  private isThere = true
  private child: ChildProcess | undefined

  private constructor(private readonly name: string) {}

  /** @throws Error that says why there cannot be one */
  static add(): Namespace {
    removeLeftovers()
    const name = `${PREFIX}${process.pid}`
    command('ip', ['netns', 'add', name])
    const namespace = new Namespace(name)
    try {
      command('ip', ['-n', name, 'link', 'set', 'dev', 'lo', 'mtu', String(MTU_BYTES), 'up'])
      return namespace
    } catch (error) {
      namespace.remove()
      throw error
    }
  }

  /** @throws Error with what the command said */
  tc(args: readonly string[]): void {
    command('tc', ['-n', this.name, ...args])
  }

  /** Runs a program of Node in it, and resolves with how it ended. */
  async run(script: string, args: readonly string[]): Promise<number> {
    // It becomes the program, so that signals reach that.
    this.child = spawn('ip', ['netns', 'exec', this.name, process.execPath, script, ...args], {
      stdio: 'inherit',
    })
    const [code] = (await once(this.child, 'exit')) as [number | null]
    return code ?? 1
  }

  /** Asks the program to end. */
  stop(): void {
    this.child?.kill('SIGTERM')
  }

  /** Ends whatever runs in it, and removes it. */
  remove(): void {
    if (!this.isThere) return
    this.isThere = false
    end(this.name)
  }
}

/** Why there is no netem here; undefined where there is. */
export function whyNoNetem(): string | undefined {
  if (process.platform !== 'linux') return 'netem is part of Linux'
  let namespace: Namespace
  try {
    namespace = Namespace.add()
  } catch (error) {
    return `no network namespace can be made: ${reason(error)}`
  }
  try {
    namespace.tc(['qdisc', 'add', 'dev', 'lo', 'root', 'handle', '1:', 'htb'])
    namespace.tc(['class', 'add', 'dev', 'lo', 'parent', '1:', 'classid', '1:1', 'htb', 'rate', '1gbit'])
    namespace.tc(['qdisc', 'add', 'dev', 'lo', 'parent', '1:1', 'netem', 'delay', '1ms'])
    return undefined
  } catch (error) {
    return `tc cannot shape loopback in a namespace of its own: ${reason(error)}`
  } finally {
    namespace.remove()
  }
}

/** Of a bench that was killed: its process is gone. */
function removeLeftovers(): void {
  for (const line of command('ip', ['netns', 'list']).split('\n')) {
    const [name = ''] = line.split(' ')
    if (name.startsWith(PREFIX) && !isRunning(Number(name.slice(PREFIX.length)))) end(name)
  }
}

function end(name: string): void {
  for (const pid of command('ip', ['netns', 'pids', name]).split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
  }
  command('ip', ['netns', 'delete', name])
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function command(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
}

function reason(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string }
  return (stderr || message).trim().split('\n').join('; ')
}
