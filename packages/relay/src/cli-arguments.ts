import path from 'node:path'
import { parseArgs } from 'node:util'
import { isOrigin, isPort, notAnOrigin, notLoopback } from './check-options.js'
import { isLoopback } from './options.js'

export const USAGE = `Usage: skein-relay [--port N] [--host ADDRESS] [--data DIRECTORY] [--origin ORIGIN]
                   [--log-level LEVEL]

Starts one relay. Agents and y-websocket clients connect to it.

  --port N           port to listen on; 0 takes a free one (default 1234)
  --host ADDRESS     loopback address to listen on (default 127.0.0.1)
  --data DIRECTORY   where updates are kept; made if missing (default ./data)
  --origin ORIGIN    pages of this origin may connect, too; repeatable. Pages of this machine always may
  --log-level LEVEL  what is logged on standard error, as lines of JSON: debug, which tells of each
                     connection, info, warn, error or silent (default info)
  --help             this text

Stop it with Ctrl-C: it flushes what it took in, and clients come back when it does.
`

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface Arguments {
  readonly port: number
  readonly host: string
  readonly dataDir: string
  readonly origins: readonly string[]
  readonly logLevel: LogLevel
}

/** The command line is wrong; the message is one sentence that names the option. */
export class WrongArguments extends Error {}

/** Reads the command line, or `help` where that is asked for. @throws WrongArguments */
export function readArguments(args: readonly string[]): Arguments | 'help' {
  const { port, host, data, origin, help, 'log-level': logLevel } = parse(args)
  if (help) return 'help'
  if (!/^\d{1,5}$/.test(port) || !isPort(Number(port))) {
    throw new WrongArguments(`--port "${port}" is not a number from 0 to 65535`)
  }
  if (!isLoopback(host)) throw new WrongArguments(`--host ${notLoopback(host)}`)
  if (data === '') throw new WrongArguments('--data is empty; name a directory')
  for (const one of origin) {
    if (!isOrigin(one)) throw new WrongArguments(`--origin ${notAnOrigin(one)}`)
  }
  if (!isLogLevel(logLevel)) {
    throw new WrongArguments(`--log-level "${logLevel}" is none of ${LOG_LEVELS.join(', ')}`)
  }
  return { port: Number(port), host, dataDir: path.resolve(data), origins: origin, logLevel }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '1234' },
        host: { type: 'string', default: '127.0.0.1' },
        data: { type: 'string', default: 'data' },
        origin: { type: 'string', multiple: true, default: [] },
        'log-level': { type: 'string', default: 'info' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    // What follows the first sentence is advice for programs whose arguments begin with dashes.
    throw new WrongArguments((error as Error).message.split(/\.\s/, 1)[0]!.replace(/\.$/, ''))
  }
}

function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text)
}
