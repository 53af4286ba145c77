import type { Operation, WriteOperation } from '../../src/index.js'
import { Cluster, type Link, memberOf } from './cluster.js'
import { describeHappening, describeMessage, readable } from './describe.js'
import { set } from './operations.js'

/**
 * Runs the commands of a transcript and returns it with what they bring about below each. Commands:
 *
 *     cluster a b c [spare d]        new members, and others that run
 *     submit a set k=1 [if v2|f2|absent|present] [id x/1] [since 2] [for 500]
 *     submit a delete k | read k | resolve k id x/1
 *     deliver a->b                   the oldest message of the link; `*` is any member
 *     drop a->b                      all messages of the link
 *     hold a->b, release a->b        all messages of the link, to be delivered late; again to deliver twice
 *     flush b [c], crash c, restart c
 *     pass 200 [except a]            time, in milliseconds
 *     settle [without c]             delivers and flushes until nothing is under way, and tells what ended
 *     heard a 9                      a hears of a ballot with this counter
 *     watch a k, change a a,b,d
 *     network, disk k                what is under way, and what is on the disks
 */
export function replay(text: string): string {
  const replay = new Replay()
  const blocks: string[] = []
  for (const block of text.split('\n\n')) {
    const command = block.split('\n').filter((line) => line.startsWith('> ') || line.startsWith('#'))
    const output = command
      .filter((line) => line.startsWith('> '))
      .flatMap((line) => replay.run(line.slice(2)))
    const lines = output.length === 0 && command.some((line) => line.startsWith('> ')) ? ['ok'] : output
    blocks.push([...command, ...lines.map(readable)].join('\n'))
  }
  return `${blocks.join('\n\n').trimEnd()}\n`
}

class Replay {
  private cluster = new Cluster()
  private readonly names = new Map<number, string>()
  private readonly held = new Map<string, ReturnType<Cluster['take']>>()
  private lastClient = 0

  run(command: string): string[] {
    const [verb, ...words] = command.trim().split(/\s+/)
    const isQuiet = verb === 'settle'
    const told = this.execute(verb ?? '', words)
    const lines = this.cluster.happened
      .splice(0)
      .flatMap((happening) => describeHappening(happening, (token) => this.names.get(token) ?? `#${token}`))
    // What is sent and written while everything settles would hide what came of it.
    return [...told, ...lines.filter((line) => !isQuiet || !/->| writes /.test(line))]
  }

  private execute(verb: string, words: readonly string[]): string[] {
    const { cluster } = this
    const [first = '', ...rest] = words
    switch (verb) {
      case 'cluster': {
        const spare = words.indexOf('spare')
        this.cluster =
          spare < 0 ? new Cluster(words) : new Cluster(words.slice(0, spare), words.slice(spare + 1))
        this.cluster.happened.length = 0
        return []
      }
      case 'submit':
        this.submit(first, rest)
        return []
      case 'deliver':
        return cluster.deliver(linkOf(first)) === 0 ? ['there is no such message'] : []
      case 'drop':
        return cluster
          .take(linkOf(first))
          .map(({ from, to, message }) => `${from}->${to} lost: ${describeMessage(message)}`)
      case 'hold':
        this.held.set(first, cluster.take(linkOf(first)))
        return this.held
          .get(first)!
          .map(({ from, to, message }) => `${from}->${to} late: ${describeMessage(message)}`)
      case 'release':
        for (const packet of this.held.get(first) ?? []) cluster.hand(packet)
        return []
      case 'flush':
        for (const id of words) cluster.flush(id)
        return []
      case 'crash':
        cluster.crash(first)
        return []
      case 'restart':
        cluster.restart(first)
        return []
      case 'pass':
        cluster.pass(Number(first), ...rest.slice(1))
        return []
      case 'settle':
        cluster.settle(...words.slice(1))
        return []
      case 'heard':
        cluster.hearOf(first, Number(rest[0]))
        return []
      case 'watch':
        cluster.step(first, (member) => member.watch(cluster.nowMs, rest[0]!))
        return []
      case 'change':
        cluster.step(first, (member) =>
          member.changeMembers(cluster.nowMs, rest[0]!.split(',').map(memberOf)),
        )
        return []
      case 'network':
        return cluster.network.map(({ from, to, message }) => `${from}->${to} ${describeMessage(message)}`)
      case 'disk':
        return this.disks(first)
      default:
        throw new Error(`there is no command ${verb}`)
    }
  }

  private submit(id: string, words: readonly string[]): void {
    const [kind = '', target = ''] = words
    const option = (name: string) => {
      const at = words.indexOf(name)
      return at < 0 ? undefined : words[at + 1]
    }
    const [key = '', data] = target.split('=')
    const operation = this.operation(kind, data, option)
    const forMs = option('for')
    const name = words.filter((_, i) => !(words[i] === 'for' || words[i - 1] === 'for')).join(' ')
    // Its name has to be known when its outcome is, which may be at once.
    this.names.set(this.names.size, `'${name}'`)
    this.cluster.submit(id, key, operation, forMs === undefined ? undefined : Number(forMs))
  }

  private operation(
    kind: string,
    data: string | undefined,
    option: (name: string) => string | undefined,
  ): Operation {
    if (kind === 'read') return { kind: 'read' }
    const [client = '', sequence = '1'] = (option('id') ?? `client-${++this.lastClient}/1`).split('/')
    const id = { client, sequence: Number(sequence) }
    const since = Number(option('since') ?? 0)
    if (kind === 'resolve') return { kind: 'resolve', id, since }
    if (kind !== 'set' && kind !== 'delete') throw new Error(`there is no operation ${kind}`)
    return set(data, { id, since, condition: conditionOf(option('if')) })
  }

  private disks(key: string): string[] {
    return ['a', 'b', 'c', 'd', 'e'].flatMap((id) => {
      try {
        const record = this.cluster.onDisk(id, key)
        if (record === undefined) return [`${id} has nothing`]
        const { promised, accepted, register } = record
        const write = { number: 0, kind: 'record', key, record: { promised, accepted, register } } as const
        const effects = { persist: [write], send: [], outcomes: [], learned: [], changed: undefined }
        return describeHappening({ kind: 'effects', id, effects }, String).map((line) =>
          line.replace('writes', 'has'),
        )
      } catch {
        return []
      }
    })
  }
}

function conditionOf(text: string | undefined): WriteOperation['condition'] {
  if (text === undefined) return undefined
  if (text === 'absent' || text === 'present') return { kind: text }
  const number = Number(text.slice(1))
  return text.startsWith('f') ? { kind: 'fence', fence: number } : { kind: 'version', version: number }
}

function linkOf(text: string): Link {
  const [from = '', to = ''] = text.split('->')
  return { from, to }
}
