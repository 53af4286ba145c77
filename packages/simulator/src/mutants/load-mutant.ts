import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as paxos from '@skein/paxos'
import type { PaxosModule } from '../paxos-module.js'
import type { Mutant } from './mutants.js'

/**
 * The package with the bug in it: a patched copy of what was compiled, in a directory of its own.
 *
 * @throws Error where the text to replace does not occur exactly once
 */
export async function loadMutant({ name, patch }: Mutant): Promise<PaxosModule> {
  if (patch === undefined) return paxos
  const dist = path.dirname(fileURLToPath(import.meta.resolve('@skein/paxos')))
  const directory = mkdtempSync(path.join(tmpdir(), 'skein-mutant-'))
  try {
    cpSync(dist, directory, { recursive: true })
    writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}')
    const file = path.join(directory, patch.file)
    const code = readFileSync(file, 'utf8')
    const count = code.split(patch.find).length - 1
    if (count !== 1)
      throw new Error(`mutant "${name}" is stale: its text occurs ${count} times in ${patch.file}`)
    // Not as a pattern: `$` in it means itself.
    writeFileSync(
      file,
      code.replace(patch.find, () => patch.replace),
    )
    return (await import(pathToFileURL(path.join(directory, 'index.js')).href)) as PaxosModule
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
