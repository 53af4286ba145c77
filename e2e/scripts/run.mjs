// Runs the browser tests with whatever Chromium there is, fetching one only where there is none.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { findChromium } from './chromium.mjs'

const chromium = findChromium()
console.log(`browser: ${chromium}`)
const playwright = path.resolve(import.meta.dirname, '../node_modules/@playwright/test/cli.js')
if (!existsSync(playwright)) throw new Error('@playwright/test is not installed; run pnpm install')
const { status } = spawnSync(process.execPath, [playwright, 'test', ...process.argv.slice(2)], {
  cwd: path.resolve(import.meta.dirname, '..'),
  stdio: 'inherit',
  env: { ...process.env, SKEIN_CHROMIUM: chromium },
})
process.exit(status ?? 1)
