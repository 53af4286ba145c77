import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** The demo's own folder. */
export const DEMO_DIR = fileURLToPath(new URL('../../', import.meta.url))

export interface Options {
  readonly port: number
  /** Where agents reach the first relay; the others take free ones. Undefined: 1234 if it is free, else any. */
  readonly relayPort: number | undefined
  /** Where the relays and the devices agent keep their data. */
  readonly data: string
  readonly open: boolean
}

const PAGE_PORT_DEFAULT = 5173

export const USAGE = `Starts the smart home: three relays, the simulated devices, and the page.

  --port <n>         port of the page (default ${PAGE_PORT_DEFAULT})
  --relay-port <n>   where agents reach the first relay (default 1234, or a free one)
  --data <dir>       where relays and devices keep their data (default demo/.data)
  --open             open the page in the browser
  --help             this text`

/** The command line's options; 'help' if it asked for that. @throws Error on a wrong command line */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    // pnpm hands a separating `--` on.
    args: args.filter((arg) => arg !== '--'),
    options: {
      port: { type: 'string' },
      'relay-port': { type: 'string' },
      data: { type: 'string' },
      open: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  return {
    port: readPort('--port', values.port) ?? PAGE_PORT_DEFAULT,
    relayPort: readPort('--relay-port', values['relay-port']),
    // Relative to where the user typed the command, not to where pnpm runs the script.
    data: values.data ? resolve(process.env.INIT_CWD ?? '.', values.data) : resolve(DEMO_DIR, '.data'),
    open: values.open,
  }
}

function readPort(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`${option} must be a port number from 0 to 65535, not "${text}"`)
  }
  return port
}
