#!/usr/bin/env node
import { type Arguments, readArguments, USAGE, WrongArguments } from './cli-arguments.js'
import { runCluster } from './cli-cluster.js'
import { createEventLog } from './cli-log.js'
import { replace } from './cli-replace.js'
import { RelayError } from './errors.js'
import type { RelayEvent } from './options.js'
import { createRelay } from './relay.js'

await main()

async function main(): Promise<void> {
  try {
    const args = process.argv.slice(2)
    if (args[0] === 'replace' && !args.includes('--help')) return await replace(args.slice(1))
    const wanted = readArguments(args.filter((arg, i) => i > 0 || arg !== 'replace'))
    if (wanted === 'help') console.log(USAGE)
    else if ('members' in wanted) process.exitCode = await runCluster(wanted)
    else await start(wanted)
  } catch (error) {
    fail(error)
  }
}

async function start({ logLevel, ...options }: Arguments): Promise<void> {
  const log = createEventLog(logLevel)
  let hasFailed = false
  let stop = (): void => {}
  const relay = await createRelay({
    ...options,
    onEvent: (event: RelayEvent) => {
      log(event)
      // What the disk has is not known any more: only a start from what it really has is safe.
      if (event.kind !== 'strong-failed') return
      hasFailed = true
      stop()
    },
  })
  stop = () => {
    relay.close().then(
      () => process.exit(hasFailed ? 1 : 0),
      (error: unknown) => fail(error),
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  // Started by `--cluster`, it does not outlive who started it.
  process.once('disconnect', stop)
  if (hasFailed) stop()
  // Only now: who reads this may stop it at once.
  console.log(`relay  ${relay.url}`)
  console.log(`data   ${options.dataDir}`)
  console.log(`access open to programs on this machine only: no keys are configured`)
  process.send?.('listening')
}

function fail(error: unknown): never {
  if (error instanceof WrongArguments) {
    console.error(`error: ${error.message}. --help tells what there is.`)
    process.exit(2)
  }
  console.error(error instanceof RelayError ? `error: ${error.message}` : error)
  process.exit(1)
}
