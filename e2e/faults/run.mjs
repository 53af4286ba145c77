// The long form of the fault tests: `pnpm faults --kills 200 --seed 7`. Without options, the short form.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { parseArgs } from 'node:util'

/** What can be made longer, the file that it concerns, and what a value looks like. */
const OPTIONS = {
  kills: { file: 'kill-loop', help: 'times that the relay is killed under its writers' },
  joins: { file: 'leaks', help: 'clients that come and go' },
  damages: { file: 'torn-log', help: 'damaged copies of a data directory' },
  clients: { file: 'storm', help: 'clients that come back at once' },
  frames: { file: 'frame-fuzz', help: 'hostile frames' },
  requests: { file: 'http-fuzz', help: 'hostile HTTP requests' },
  'mesh-minutes': {
    file: 'mesh-soak',
    help: 'minutes of faults under agents of three relays that share a space',
  },
  'strong-minutes': { file: 'strong-soak', help: 'minutes of faults under the clients of a strong region' },
}

const USAGE = `Usage: pnpm faults [--seed N] [${Object.keys(OPTIONS)
  .map((name) => `--${name} N`)
  .join('] [')}]

Without a number of something all fault tests run in their short form, otherwise those concerned in a long one.

${Object.entries(OPTIONS)
  .map(([name, { help }]) => `  --${name.padEnd(14)} ${help}`)
  .join('\n')}
  --seed           repeats a run as far as the machine's timing allows
`

const values = readArguments()
const seed = values.seed ?? Math.floor(Math.random() * 2 ** 31)
const chosen = Object.keys(OPTIONS).filter((name) => values[name] !== undefined)
const command = [
  'npx -y pnpm@12 faults',
  ...chosen.map((name) => `--${name} ${values[name]}`),
  `--seed ${seed}`,
]
console.log(`faults: seed ${seed}`)
const { status } = spawnSync(
  process.execPath,
  [
    vitest(),
    'run',
    // In front: behind an option a file would be taken for its value.
    ...chosen.map((name) => `e2e/faults/${OPTIONS[name].file}`),
    '--project=faults',
    // Progress is of use only while it is made.
    '--disableConsoleIntercept=true',
  ],
  {
    cwd: path.resolve(import.meta.dirname, '../..'),
    stdio: 'inherit',
    env: { ...process.env, SKEIN_SEED: String(seed), ...settings() },
  },
)
if (status !== 0) console.error(`failed; repeat it with: ${command.join(' ')}`)
process.exit(status ?? 1)

function readArguments() {
  const number = { type: 'string' }
  const names = ['seed', ...Object.keys(OPTIONS)]
  const options = { help: { type: 'boolean' }, ...Object.fromEntries(names.map((name) => [name, number])) }
  try {
    const { values } = parseArgs({ options })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    for (const name of names) {
      if (values[name] === undefined) continue
      if (!/^\d+$/.test(values[name]))
        throw new Error(`--${name} takes a whole number, not "${values[name]}"`)
    }
    return values
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exit(2)
  }
}

function settings() {
  return Object.fromEntries(
    chosen.map((name) => [`SKEIN_FAULTS_${name.toUpperCase().replaceAll('-', '_')}`, values[name]]),
  )
}

function vitest() {
  const root = createRequire(path.resolve(import.meta.dirname, '../../package.json'))
  return path.join(path.dirname(root.resolve('vitest/package.json')), 'vitest.mjs')
}
