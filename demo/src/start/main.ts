/** Starts the relays, the simulated devices and the page. Relays may die; without the devices it all ends. */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from './child.js'
import { clusterOn } from './cluster.js'
import { Lab } from './lab.js'
import { Line } from './line.js'
import { LocalRelay } from './local-relay.js'
import { type Options, readOptions, USAGE } from './options.js'
import { buildPage, servePage } from './page.js'
import { chooseRelayPort, freePorts, HOST } from './ports.js'

const RELAY_CLI = fileURLToPath(new URL('cli.js', import.meta.resolve('@skein/relay')))
const DEVICES_MAIN = fileURLToPath(new URL('../devices/main.js', import.meta.url))

const relays: LocalRelay[] = []
let devices: Child | undefined
const stopping = new AbortController()
let server: Server | undefined

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    console.log('\nStopping the demo.')
    void stop(0)
  })
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === 'help') console.log(USAGE)
  else await start(options)
} catch (error) {
  if (!stopping.signal.aborted) {
    console.error(error instanceof Error ? error.message : error)
    await stop(1)
  }
}

async function start(options: Options): Promise<void> {
  const startedAt = Date.now()
  mkdirSync(options.data, { recursive: true })
  // Agents go through lines, which the lab can disturb; relays reach each other directly. The lines come first,
  // so that none of them takes a port that was free for a relay a moment before.
  const firstLine = await Line.open(await chooseRelayPort(options.relayPort))
  const lines = [firstLine, await Line.open(0), await Line.open(0)]

  console.log('Starting three relays and building the page ...')
  for (const [index, relay] of clusterOn(await freePorts(lines.length), options.data).entries()) {
    relays.push(new LocalRelay(RELAY_CLI, relay, lines[index]!, relayEnded))
  }
  const page = buildPage(lines.map((line) => line.port))
  // Whoever waits for it below hears of a failure; until then it must not count as unhandled.
  page.catch(() => undefined)
  // Before anything is started, so that a port in use is told at once.
  const lab = new Lab(relays, stopping.signal)
  server = await servePage(page, options.port, lab)
  await Promise.all(relays.map((relay) => relay.start(stopping.signal)))

  console.log('Starting the simulated devices ...')
  const addresses = lines.flatMap((line) => ['--relay', line.url])
  devices = new Child('devices', DEVICES_MAIN, [...addresses, '--data', join(options.data, 'devices')])
  void devices.ended.then((reason) => {
    if (stopping.signal.aborted) return
    console.error(`The devices process ${reason}; the demo cannot go on without it and stops.`)
    void stop(1)
  })
  await unlessStopped(devices.ready)

  await page
  lab.open()
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  const url = `http://${HOST}:${port}/`
  console.log(`
The smart home is at  ${url}   (ready in ${((Date.now() - startedAt) / 1000).toFixed(1)} s)

Try this: open ${url}?agent=Tablet and ${url}?agent=Phone side by side; dim a lamp in one, colour it in the other.
          Then switch one offline, change things in both, and come back: nothing is lost.
          Hold to unlock the front door under Security; kill a relay in the Lab and do it again.
The relays as agents reach them, any two of which are a majority:
${relays.map((relay) => `  ${relay.id}  ${relay.line.url}   kill -9 ${relay.pid}`).join('\n')}
The data is in ${options.data}. Ctrl-C stops everything.
`)
  if (options.open) openInBrowser(url)
}

/** Losing relays is what the home is made for, so the demo goes on; it says what that means now. */
function relayEnded(id: string, reason: string): void {
  if (stopping.signal.aborted) return
  const left = relays.filter((relay) => relay.isRunning).length
  console.error(`\nThe relay ${id} ${reason}. ${LEFT_IN_WORDS[left]}\n`)
}

const LEFT_IN_WORDS = [
  'None is left: every tab goes on by itself. Gas can be closed and the alarm triggered, nothing unlocked.',
  'One is left, no majority: lamps and blinds go on, gas can be closed; nothing can be unlocked or disarmed.',
  'The other two are a majority: everything goes on.',
]

async function stop(code: number): Promise<void> {
  if (stopping.signal.aborted) return
  stopping.abort()
  server?.close()
  server?.closeAllConnections()
  // The devices first, so that their last words still reach a relay.
  await devices?.stop()
  await Promise.all(relays.map((relay) => relay.stop()))
  process.exit(code)
}

function unlessStopped<T>(promise: Promise<T>): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    stopping.signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
  })
  return Promise.race([promise, stopped])
}

function openInBrowser(url: string): void {
  const command =
    process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open'
  const child = spawn(command, [url], { stdio: 'ignore', detached: true })
  child.once('error', () => console.log(`The browser could not be opened; the page is at ${url}`))
  child.unref()
}
