// Checks what npm users would get of each public package: entry points (publint) and types (attw).
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../..')
const bin = (name) => path.join(root, 'node_modules/.bin', name)

for (const name of readdirSync(path.join(root, 'packages'))) {
  const directory = path.join(root, 'packages', name)
  const manifest = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8'))
  if (manifest.private) continue
  console.log(`\n${manifest.name}`)
  run(bin('publint'), ['--strict', '--pack', 'npm', directory])
  // ESM only, by decision: `require` of these packages works from Node 22 on.
  run(bin('attw'), ['--pack', directory, '--profile', 'esm-only', '--format', 'table-flipped'])
}

function run(command, args) {
  try {
    execFileSync(command, args, { stdio: 'inherit', cwd: root })
  } catch {
    console.error(`failed: ${path.basename(command)} ${args.join(' ')}`)
    process.exit(1)
  }
}
