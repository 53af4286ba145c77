#!/usr/bin/env node
import { type Arguments, readArguments, USAGE, WrongArguments } from './cli-arguments.js'
import { createEventLog } from './cli-log.js'
import { RelayError } from './errors.js'
import { createRelay } from './relay.js'

await main()

async function main(): Promise<void> {
  try {
    const wanted = readArguments(process.argv.slice(2))
    if (wanted === 'help') console.log(USAGE)
    else await start(wanted)
  } catch (error) {
    fail(error)
  }
}

async function start({ logLevel, ...options }: Arguments): Promise<void> {
  const relay = await createRelay({ ...options, onEvent: createEventLog(logLevel) })
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
}

function fail(error: unknown): never {
  if (error instanceof WrongArguments) {
    console.error(`error: ${error.message}. --help tells what there is.`)
    process.exit(2)
  }
  console.error(error instanceof RelayError ? `error: ${error.message}` : error)
  process.exit(1)
}
