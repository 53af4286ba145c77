/** Starts relay, simulated devices and page, and keeps them together: all run, or none does. */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from './child.js'
import { type Options, readOptions, USAGE } from './options.js'
import { buildPage, servePage } from './page.js'
import { chooseRelayPort, HOST, whenListening } from './ports.js'

const children: Child[] = []
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
  const relayPort = await chooseRelayPort(options.relayPort)
  const relayUrl = `ws://${HOST}:${relayPort}`
  mkdirSync(options.data, { recursive: true })

  console.log('Starting the relay and building the page ...')
  const page = buildPage(relayPort)
  // Whoever waits for it below hears of a failure; until then it must not count as unhandled.
  page.catch(() => undefined)
  // Before anything is started, so that a port in use is told at once.
  server = await servePage(page, options.port)
  const relayCli = fileURLToPath(new URL('cli.js', import.meta.resolve('@skein/relay')))
  run('relay', relayCli, ['--port', String(relayPort), '--host', HOST, '--data', join(options.data, 'relay')])
  await whenListening(relayPort, stopping.signal)

  console.log('Starting the simulated devices ...')
  const devicesMain = fileURLToPath(new URL('../devices/main.js', import.meta.url))
  const devices = run('devices', devicesMain, ['--relay', relayUrl, '--data', join(options.data, 'devices')])
  await unlessStopped(devices.ready)

  await page
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  const url = `http://${HOST}:${port}/`
  console.log(`
The smart home is at  ${url}   (ready in ${((Date.now() - startedAt) / 1000).toFixed(1)} s)

Try this: open ${url}?agent=Tablet and ${url}?agent=Phone side by side; dim a lamp in one, colour it in the other.
          Then switch one offline, change things in both, and come back: nothing is lost.
The relay is at ${relayUrl}, the data in ${options.data}. Ctrl-C stops everything.
`)
  if (options.open) openInBrowser(url)
}

function run(name: string, script: string, args: readonly string[]): Child {
  const child = new Child(name, script, args)
  children.push(child)
  void child.ended.then((reason) => {
    if (stopping.signal.aborted) return
    console.error(`The ${name} process ${reason}; the demo cannot go on without it and stops.`)
    void stop(1)
  })
  return child
}

async function stop(code: number): Promise<void> {
  if (stopping.signal.aborted) return
  stopping.abort()
  server?.close()
  server?.closeAllConnections()
  // The devices first, so that their last words still reach the relay.
  for (const child of [...children].reverse()) await child.stop()
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
