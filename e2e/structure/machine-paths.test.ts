import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** Absolute paths into a directory that only one machine has. What needs one asks `os.tmpdir()`, or is told. */
const MACHINE_PATH = /(?<![\w./:%@-])\/(?:work|tmp|Users)\/\w[^\s'"`)]*/g

/** Written by tools. */
const NOT_LOOKED_AT = ['pnpm-lock.yaml']

describe('structure', () => {
  test('no file names a path of somebody’s machine', () => {
    const files = trackedFiles()
    expect(files.length).toBeGreaterThan(300)
    const offenders = files.flatMap((file) =>
      machinePathsIn(readFileSync(path.join(ROOT, file), 'utf8')).map((found) => `${file} names ${found}`),
    )
    expect(offenders).toEqual([])
  })

  test('such a path is seen, and what only looks like one is not', () => {
    const [scratch, work] = [['', 'tmp', 'a', 'b.ts'].join('/'), ['', 'work', 'shared'].join('/')]
    expect(machinePathsIn(`cd ${scratch} && cat '${work}'`)).toEqual([scratch, work])
    expect(machinePathsIn(`https://example.org${work} ./a${scratch} ..${scratch}`)).toEqual([])
  })
})

/** Those of the index that are there: also what is added, and not committed yet. */
function trackedFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--deduplicate'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const gone = execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: ROOT, encoding: 'utf8' })
  const missing = new Set([...gone.split('\0'), ...NOT_LOOKED_AT, ''])
  return listed.split('\0').filter((file) => !missing.has(file))
}

function machinePathsIn(text: string): string[] {
  return [...text.matchAll(MACHINE_PATH)].map(([found]) => found)
}
