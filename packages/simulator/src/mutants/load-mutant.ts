import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as paxos from '@skein/paxos'
import type { PaxosModule } from '../paxos-module.js'
import type { Mutant } from './mutants.js'

export interface Patch {
  readonly file: string
  /** Occurs exactly once in the file, or the mutant is of another version of the code. */
  readonly find: string
  readonly replace: string
}

/** The package with the bug in it. @throws Error as `loadPatched` */
export async function loadMutant({ name, patch }: Mutant): Promise<PaxosModule> {
  return patch === undefined
    ? paxos
    : loadPatched<PaxosModule>({ name, patch }, '@skein/paxos', '.', 'index.js')
}

/**
 * A patched copy of what was compiled, in a directory of its own.
 *
 * @param folder of the package, which imports nothing from outside of itself but other packages
 * @param entry the file of it to import
 * @throws Error where the text to replace does not occur exactly once
 */
export async function loadPatched<T>(
  { name, patch }: { readonly name: string; readonly patch: Patch },
  packageName: string,
  folder: string,
  entry: string,
): Promise<T> {
  const dist = path.dirname(fileURLToPath(import.meta.resolve(packageName)))
  const directory = mkdtempSync(path.join(tmpdir(), 'skein-mutant-'))
  try {
    // Without the maps, which would be looked for in vain.
    cpSync(path.join(dist, folder), directory, { recursive: true, filter: (file) => !file.endsWith('.map') })
    writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}')
    // What it imports is the same as for everybody else.
    const modules = path.join(dist, '..', 'node_modules')
    if (existsSync(modules)) symlinkSync(modules, path.join(directory, 'node_modules'))
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
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.js') && !name.startsWith('node_modules')) forgetMap(path.join(directory, name))
    }
    return (await import(pathToFileURL(path.join(directory, entry)).href)) as T
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function forgetMap(file: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, ''))
}
