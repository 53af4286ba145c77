#!/usr/bin/env node
import path from 'node:path'
import { parseArgs } from 'node:util'
import { RelayError } from './errors.js'
import type { RelayEvent } from './options.js'
import { createRelay } from './relay.js'

const USAGE = `Usage: skein-relay [--port N] [--host ADDRESS] [--data DIRECTORY] [--origin ORIGIN]

Starts one relay. Agents and y-websocket clients connect to it.

  --port N          port to listen on; 0 takes a free one (default 1234)
  --host ADDRESS    loopback address to listen on (default 127.0.0.1)
  --data DIRECTORY  where updates are kept; made if missing (default ./data)
  --origin ORIGIN   pages of this origin may connect, too; repeatable. Pages of this machine always may
  --help            this text

Stop it with Ctrl-C: it flushes what it took in, and clients come back when it does.
`

await main()

async function main(): Promise<void> {
  const options = readArguments()
  if (options === undefined) return
  try {
    const relay = await createRelay({ ...options, onEvent: report })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        relay.close().then(
          () => process.exit(0),
          (error: unknown) => fail(error),
        )
      })
    }
    // Only now: who reads this may stop it at once.
    console.log(`relay  ${relay.url}`)
    console.log(`data   ${options.dataDir}`)
    console.log(`access open to programs on this machine only: no keys are configured`)
  } catch (error) {
    fail(error)
  }
}

function readArguments(): { port: number; host: string; dataDir: string; origins: string[] } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '1234' },
        host: { type: 'string', default: '127.0.0.1' },
        data: { type: 'string', default: 'data' },
        origin: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      return undefined
    }
    return {
      port: Number(values.port),
      host: values.host,
      dataDir: path.resolve(values.data),
      origins: values.origin,
    }
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    process.exitCode = 2
    return undefined
  }
}

function report(event: RelayEvent): void {
  if (event.kind === 'client-closed') {
    console.error(`closed a client of "${event.room}": ${event.reason} (${event.code})`)
  } else {
    const room = 'room' in event ? ` "${event.room}"` : ''
    console.error(`${event.kind}${room}: ${message(event.error)}`)
  }
}

function fail(error: unknown): never {
  console.error(error instanceof RelayError ? `error: ${error.message}` : error)
  process.exit(1)
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
