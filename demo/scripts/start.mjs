// Starts the whole demo; the work is in src/start. Build first: `pnpm demo` at the root does both.
import { existsSync } from 'node:fs'

const main = new URL('../dist/start/main.js', import.meta.url)
if (!existsSync(main)) {
  console.error(
    'The demo is not built yet. Run `pnpm demo` at the top of the workspace; it builds and starts.',
  )
  process.exit(1)
}
await import(main.href)
