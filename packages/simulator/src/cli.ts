import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import * as paxos from '@skein/paxos'
import * as sync from '@skein/sync'
import { runMultipathSeed } from './multipath/run-multipath-seed.js'
import { runPathSeed } from './paths/run-path-seed.js'
import { runSeed, type SeedResult } from './run-seed.js'

const HELP = `Usage: pnpm simulate [options]
  --world W    strong: the strong region (default); paths: the choice among several paths;
               multipath: agents with several relays at once
  --seeds N    how many worlds (default 10000)
  --from S     the first one's seed (default 1)
  --workers N  processes (default: one per core)
  --log        print what happens in each world; for one seed
`

interface Report {
  readonly seeds: number
  readonly operations: number
  readonly messages: number
  readonly failure?: { readonly seed: number; readonly check: string; readonly message: string }
}

const REPORT_EVERY_SEEDS = 200

const { values } = parseArgs({
  options: {
    world: { type: 'string', default: 'strong' },
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    log: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    // One of the processes that share the seeds: takes every `workers`th, from its own on.
    part: { type: 'string' },
  },
})

if (values.help) console.log(HELP)
else main()

function main(): void {
  const [seeds, from, workers] = [Number(values.seeds), Number(values.from), Number(values.workers)]
  const areCounts = [seeds, from, workers].every((value) => Number.isSafeInteger(value) && value >= 0)
  if (!areCounts || workers === 0 || !['strong', 'paths', 'multipath'].includes(values.world)) {
    console.error(HELP)
    process.exitCode = 2
  } else if (values.part !== undefined) {
    runPart(from + Number(values.part), from + seeds, workers, (report) => process.send!(report))
  } else if (workers === 1 || values.log) {
    const total = progress()
    runPart(from, from + seeds, 1, total.add)
    total.end()
  } else {
    spread(workers)
  }
}

/** Runs every `step`th seed until one fails. */
function runPart(from: number, to: number, step: number, report: (report: Report) => void): void {
  let [seeds, operations, messages] = [0, 0, 0]
  for (let seed = from; seed < to; seed += step) {
    const log = values.log ? { log: console.log } : {}
    const result = runWorld(seed, log)
    seeds++
    operations += result.operations
    messages += result.messages ?? 0
    if (result.violation !== undefined) {
      report({ seeds, operations, messages, failure: { seed, ...result.violation } })
      return
    }
    if (seeds < REPORT_EVERY_SEEDS) continue
    report({ seeds, operations, messages })
    seeds = operations = messages = 0
  }
  report({ seeds, operations, messages })
}

function runWorld(seed: number, log: { readonly log?: (line: string) => void }): SeedResult {
  switch (values.world) {
    case 'paths':
      return runPathSeed({ seed, scheduler: sync, ...log })
    case 'multipath':
      return runMultipathSeed({ seed, sync, ...log })
    default:
      return runSeed({ seed, paxos, ...log })
  }
}

function spread(workers: number): void {
  const total = progress()
  let running = workers
  const children = Array.from({ length: workers }, (_, part) => {
    const child = fork(import.meta.filename, [...process.argv.slice(2), '--part', String(part)])
    child.on('message', (report: Report) => {
      total.add(report)
      if (report.failure !== undefined) for (const other of children) other.kill()
    })
    child.on('exit', (code, signal) => {
      if (code !== 0) total.lost(`a process ended by ${signal ?? `exit code ${code}`}`)
      if (--running === 0) total.end()
    })
    return child
  })
}

function progress() {
  const startMs = performance.now()
  let [seeds, operations, messages, shownMs] = [0, 0, 0, 0]
  let isFailed = false
  const line = () => {
    const seconds = (performance.now() - startMs) / 1_000
    const counted = messages === 0 ? '' : `${messages} messages, `
    return `${seeds} seeds, ${operations} operations, ${counted}${seconds.toFixed(1)} s, ${Math.round(seeds / seconds)} seeds/s`
  }
  return {
    add(report: Report): void {
      seeds += report.seeds
      operations += report.operations
      messages += report.messages
      if (report.failure !== undefined && !isFailed) {
        isFailed = true
        process.exitCode = 1
        const { seed, check, message } = report.failure
        console.error(`\nseed ${seed} breaks "${check}": ${message}`)
        console.error(
          `npx -y pnpm@12 simulate ${values.world === 'strong' ? '' : `--world ${values.world} `}--from ${seed} --seeds 1 --log`,
        )
      }
      if (values.log || performance.now() - shownMs < 2_000) return
      shownMs = performance.now()
      console.log(line())
    },
    /** Seeds were not run: no reason to say that they passed. */
    lost(why: string): void {
      if (!isFailed) console.error(why)
      isFailed = true
      process.exitCode = 1
    },
    end(): void {
      console.log(`${isFailed ? 'failed' : 'passed'}: ${line()}`)
    },
  }
}
