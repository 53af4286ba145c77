import path from 'node:path'
import { parseArgs } from 'node:util'
import {
  isOrigin,
  isPort,
  isStrongPrefix,
  notAMemberId,
  notAnAddress,
  notAnOrigin,
  notAPrefix,
  notLoopback,
} from './check-options.js'
import { isAddress, isMemberId } from './cluster/hello.js'
import { type ClusterOptions, isLoopback } from './options.js'

export const USAGE = `Usage: skein-relay [--port N] [--host ADDRESS] [--data DIRECTORY] [--origin ORIGIN]
                   [--id ID --peer ID=URL ... | --id ID --join] [--strong PREFIX]
                   [--log-level LEVEL]
       skein-relay --cluster 3|5 [--port BASE] [--data DIRECTORY] [--strong PREFIX]
       skein-relay replace --at URL [--remove ID] [--add ID=URL]

Starts one relay. Agents and y-websocket clients connect to it.

  --port N           port to listen on; 0 takes a free one (default 1234)
  --host ADDRESS     loopback address to listen on (default 127.0.0.1)
  --data DIRECTORY   where updates are kept; made if missing (default ./data)
  --origin ORIGIN    pages of this origin may connect, too; repeatable. Pages of this machine always may
  --id ID            this relay's name in its cluster, for good (default r1)
  --peer ID=URL      another relay of the cluster, like r2=ws://127.0.0.1:4002; repeatable
  --join             waits to be taken into a cluster that runs, by replace
  --strong PREFIX    keys that begin so are strong in new spaces; repeatable
  --cluster N        starts N relays on this machine, on free ports or from --port on, which keep their
                     data in DIRECTORY/r1, r2, ...
  --log-level LEVEL  what is logged on standard error, as lines of JSON: debug, which tells of each
                     connection, info, warn, error or silent (default info)
  --help             this text

replace puts a member in the place of another while the cluster works, asking the member at --at; it can
be repeated until it succeeds.

Stop it with Ctrl-C: it flushes what it took in, and clients come back when it does.
`

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface Arguments {
  readonly port: number
  readonly cluster: ClusterOptions
  readonly strong: readonly string[]
  readonly host: string
  readonly dataDir: string
  readonly origins: readonly string[]
  readonly logLevel: LogLevel
}

/** The command line is wrong; the message is one sentence that names the option. */
export class WrongArguments extends Error {}

/** Several relays to be started on this machine. */
export interface ClusterArguments {
  readonly members: number
  /** Of the first one; undefined takes free ones. */
  readonly basePort: number | undefined
  readonly host: string
  readonly dataDir: string
  /** Passed on to each. */
  readonly passed: readonly string[]
}

/** Reads the command line, or `help` where that is asked for. @throws WrongArguments */
export function readArguments(args: readonly string[]): Arguments | ClusterArguments | 'help' {
  const values = parse(args)
  if (values.help) return 'help'
  const { port = '1234', host, data, origin, strong, 'log-level': logLevel } = values
  if (!/^\d{1,5}$/.test(port) || !isPort(Number(port))) {
    throw new WrongArguments(`--port "${port}" is not a number from 0 to 65535`)
  }
  if (!isLoopback(host)) throw new WrongArguments(`--host ${notLoopback(host)}`)
  if (data === '') throw new WrongArguments('--data is empty; name a directory')
  for (const one of origin) {
    if (!isOrigin(one)) throw new WrongArguments(`--origin ${notAnOrigin(one)}`)
  }
  for (const prefix of strong) {
    if (!isStrongPrefix(prefix)) throw new WrongArguments(`--strong ${notAPrefix(prefix)}`)
  }
  if (!isLogLevel(logLevel)) {
    throw new WrongArguments(`--log-level "${logLevel}" is none of ${LOG_LEVELS.join(', ')}`)
  }
  const dataDir = path.resolve(data)
  const cluster = clusterOf(values)
  if (values.cluster === undefined) {
    return { port: Number(port), host, dataDir, origins: origin, cluster, strong, logLevel }
  }
  if (!['3', '5'].includes(values.cluster)) {
    throw new WrongArguments(`--cluster "${values.cluster}" is neither 3 nor 5`)
  }
  const members = Number(values.cluster)
  if (Object.keys(cluster).length > 0) {
    throw new WrongArguments('--cluster names its relays itself; leave out --id, --peer and --join')
  }
  const basePort = values.port === undefined || values.port === '0' ? undefined : Number(values.port)
  if (basePort !== undefined && !isPort(basePort + members - 1)) {
    throw new WrongArguments(`--port ${basePort} leaves no room for ${members} relays`)
  }
  const passed = [
    ...origin.flatMap((one) => ['--origin', one]),
    ...strong.flatMap((prefix) => ['--strong', prefix]),
    ...['--log-level', logLevel],
  ]
  return { members, basePort, host, dataDir, passed }
}

/** Where the relay is that a URL names, in two parts: its id and its address. */
export function readMember(option: string, text: string): { readonly id: string; readonly url: string } {
  const [id = '', ...rest] = text.split('=')
  const url = rest.join('=')
  if (!isMemberId(id))
    throw new WrongArguments(`${option} ${notAMemberId(id)}; write it as r2=ws://127.0.0.1:4002`)
  if (!isAddress(url)) throw new WrongArguments(`${option} ${notAnAddress(url)}`)
  return { id, url }
}

function clusterOf({ id, peer, join }: ReturnType<typeof parse>): ClusterOptions {
  if (id !== undefined && !isMemberId(id)) throw new WrongArguments(`--id ${notAMemberId(id)}`)
  if ((peer.length > 0 || join) && id === undefined) {
    throw new WrongArguments('--id is missing: a relay of a cluster has a name of its own')
  }
  if (peer.length > 0 && join)
    throw new WrongArguments('--join goes without --peer: who joins is told the others')
  const others = peer.map((text) => readMember('--peer', text))
  for (const [i, { id: other }] of others.entries()) {
    if (other === id) throw new WrongArguments(`--peer ${id} is this relay itself; name the others only`)
    // The last would win, and the cluster have fewer members than were meant.
    if (others.findIndex((one) => one.id === other) < i) {
      throw new WrongArguments(`--peer ${other} is there twice; give each relay an id of its own`)
    }
  }
  const peers = Object.fromEntries(others.map((other) => [other.id, other.url]))
  return {
    ...(id === undefined ? {} : { id }),
    ...(peer.length > 0 ? { peers } : {}),
    ...(join ? { join } : {}),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        data: { type: 'string', default: 'data' },
        origin: { type: 'string', multiple: true, default: [] },
        id: { type: 'string' },
        peer: { type: 'string', multiple: true, default: [] },
        join: { type: 'boolean', default: false },
        strong: { type: 'string', multiple: true, default: [] },
        cluster: { type: 'string' },
        'log-level': { type: 'string', default: 'info' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw wrong(error)
  }
}

/** What follows the first sentence is advice for programs whose arguments begin with dashes. */
export function wrong(error: unknown): WrongArguments {
  return new WrongArguments((error as Error).message.split(/\.\s/, 1)[0]!.replace(/\.$/, ''))
}

function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text)
}
