import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { chromium } from '@playwright/test'

const INSTALLED = {
  linux: [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome-stable',
    '/usr/bin/google-chrome',
    '/snap/bin/chromium',
  ],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
  ],
}

/**
 * The path of a Chromium that starts: the one SKEIN_CHROMIUM names, an installed one, Playwright's own,
 * Playwright's own after fetching it, or, for root on Debian, the distribution's package.
 */
export function findChromium() {
  const named = process.env.SKEIN_CHROMIUM
  if (named !== undefined) {
    if (starts(named)) return named
    fail(`SKEIN_CHROMIUM is ${named}, but that does not start.`)
  }
  const found = installed()
  if (found !== undefined) return found
  console.log('No Chromium found: fetching the one that Playwright brings.')
  run(process.execPath, [playwrightCli(), 'install', 'chromium'])
  if (starts(chromium.executablePath())) return chromium.executablePath()
  if (existsSync('/etc/debian_version') && process.getuid?.() === 0) {
    console.log("That did not work: installing Debian's package.")
    run('apt-get', ['update'])
    run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'])
    const package_ = installed()
    if (package_ !== undefined) return package_
  }
  return fail('Install Chrome or Chromium, or name one in SKEIN_CHROMIUM.')
}

function installed() {
  const candidates = [...(INSTALLED[process.platform] ?? []), chromium.executablePath()]
  return candidates.find((candidate) => starts(candidate))
}

/** A wrapper script of a package that is not there, or a browser without its libraries, does not count. */
function starts(executable) {
  if (!existsSync(executable)) return false
  // On Windows the version switch opens a window instead.
  if (process.platform === 'win32') return true
  return spawnSync(executable, ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0
}

function playwrightCli() {
  return path.resolve(import.meta.dirname, '../node_modules/@playwright/test/cli.js')
}

function run(command, args) {
  spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
}

function fail(what) {
  console.error(`The browser tests need a Chromium. ${what}`)
  return process.exit(1)
}
