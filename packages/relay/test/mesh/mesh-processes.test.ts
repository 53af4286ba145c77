import path from 'node:path'
import { joinSpace, type Space } from '@skein/agent'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Cli, statusUntil } from '../cli-process.js'
import { randomFrom, runSeed, temporaryDirectory, until } from '../helpers.js'

/** A loaded machine takes seconds to start a process, and these start many. */
const SLOW = { timeout: 120_000 }

const has = (space: Space, key: string, value: unknown) => () => space.get(key) === value
const http = (url: string) => url.replace('ws:', 'http:')

async function agentAt(url: string): Promise<Space> {
  const space = await joinSpace('home', { relays: [url], store: 'memory' })
  onTestFinished(() => space.leave())
  await space.whenSynced
  return space
}

interface Member {
  readonly id: string
  readonly url: string
  pid: number
}

/** Three relays started by one command, of which each can be killed and started again. */
class Processes {
  private constructor(
    private readonly directory: string,
    readonly members: readonly Member[],
  ) {}

  static async start(): Promise<Processes> {
    const directory = temporaryDirectory()
    const cli = await new Cli('--cluster', '3', '--data', directory, '--log-level', 'error').listening()
    const lines = [...cli.output.matchAll(/^relay {2}(ws:\S+) {2}(r\d), process (\d+)$/gm)]
    const members = lines.map(([, url, id, pid]) => ({ id: id!, url: url!, pid: Number(pid) }))
    const processes = new Processes(directory, members)
    // They lead groups of their own, which do not end with the command when it is killed while one stands still.
    onTestFinished(() => {
      for (const { pid } of members) signal(pid, 'SIGKILL')
    })
    for (const { url } of members)
      await statusUntil(url, ({ formed, connected }) => formed && connected.length === 2)
    return processes
  }

  at(id: string): Member {
    return this.members.find((member) => member.id === id)!
  }

  kill(id: string): void {
    signal(this.at(id).pid, 'SIGKILL')
  }

  async restart(id: string): Promise<void> {
    const others = this.members.filter((member) => member.id !== id)
    const { url } = this.at(id)
    const place = ['--port', new URL(url).port, '--data', path.join(this.directory, id), '--id', id]
    const peers = others.flatMap((other) => ['--peer', `${other.id}=${other.url}`])
    const cli = await new Cli(...place, ...peers, '--log-level', 'error').listening()
    expect(cli.code, cli.errors).toBeUndefined()
    this.at(id).pid = cli.child.pid!
  }

  /** What one relay has by itself. */
  async stateAt(id: string): Promise<Record<string, unknown> | undefined> {
    const response = await fetch(`${http(this.at(id).url)}/v1/spaces/home/state`).catch(() => undefined)
    return response?.ok ? ((await response.json()) as Record<string, unknown>) : undefined
  }

  async holds(id: string, expected: Record<string, unknown>): Promise<void> {
    let missing = Object.keys(expected)
    for (let tries = 0; tries < 1_000; tries++) {
      const state = (await this.stateAt(id)) ?? {}
      missing = Object.keys(expected).filter((key) => state[key] !== expected[key])
      if (missing.length === 0) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`${id} does not get what it missed: ${missing.join()}`)
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended by itself.
  }
}

function isOpen(promise: Promise<unknown>): { readonly open: boolean } {
  const state = { open: true }
  promise.then(() => {
    state.open = false
  })
  return state
}

describe('relays in processes of their own', SLOW, () => {
  test('Y5 Y6 one that is killed gets what was written meanwhile; quorum needs two of three', async () => {
    const processes = await Processes.start()
    const [a, b, c] = (await Promise.all(processes.members.map(({ url }) => agentAt(url)))) as [
      Space,
      Space,
      Space,
    ]
    a.set('a', 1)
    await until('all meet', () => has(b, 'a', 1)() && has(c, 'a', 1)())
    processes.kill('r2')
    const two = a.commit(() => a.set('b', 2))
    await two.durable('quorum')
    await until('the third has it', has(c, 'b', 2))
    processes.kill('r3')
    const one = a.commit(() => a.set('c', 3))
    const waiting = isOpen(one.durable('quorum'))
    const whole = isOpen(a.durable('quorum'))
    await one.durable('relay')
    await statusUntil(processes.at('r1').url, ({ connected }) => connected.length === 0)
    expect([waiting.open, whole.open]).toEqual([true, true])
    await processes.restart('r2')
    await until('it is on two disks', () => !waiting.open && !whole.open)
    // By itself: without the others it has all that it was brought.
    await processes.holds('r2', { a: 1, b: 2, c: 3 })
    processes.kill('r1')
    await processes.holds('r2', { a: 1, b: 2, c: 3 })
    await until('its agent has it', has(b, 'c', 3))
  })

  test('Y7 one that stands still holds up nobody, and catches up', async () => {
    const processes = await Processes.start()
    const [a, b] = [await agentAt(processes.at('r1').url), await agentAt(processes.at('r2').url)]
    a.set('k', 0)
    await until('they meet', has(b, 'k', 0))
    signal(processes.at('r2').pid, 'SIGSTOP')
    for (let i = 1; i <= 20; i++) {
      a.set('k', i)
      await a.durable('quorum')
    }
    await statusUntil(processes.at('r1').url, ({ connected }) => connected.join() === 'r3')
    signal(processes.at('r2').pid, 'SIGCONT')
    await until('it has caught up', has(b, 'k', 20))
  })

  test('Y5 what a majority confirmed survives the loss of any one, whoever is killed when', async () => {
    const random = randomFrom(runSeed('packages/relay/test/mesh/mesh-processes.test.ts'))
    const processes = await Processes.start()
    const agents = await Promise.all(processes.members.map(({ url }) => agentAt(url)))
    const confirmed: Record<string, unknown> = {}
    for (let round = 0; round < 6; round++) {
      const victim = processes.members[Math.floor(random() * 3)]!
      const writes = agents.map(async (space, i) => {
        for (let n = 0; n < 10; n++) {
          const key = `${round}/${i}/${n}`
          const { durable } = space.commit(() => space.set(key, n))
          await durable('quorum')
          confirmed[key] = n
        }
      })
      const killed = (async () => {
        await new Promise((resolve) => setTimeout(resolve, random() * 60))
        processes.kill(victim.id)
        // What was confirmed up to now is with the others.
        const before = { ...confirmed }
        for (const { id } of processes.members) if (id !== victim.id) await processes.holds(id, before)
        await processes.restart(victim.id)
      })()
      await Promise.all([...writes, killed])
    }
    expect(Object.keys(confirmed)).toHaveLength(180)
    for (const { id } of processes.members) await processes.holds(id, confirmed)
  })
})
