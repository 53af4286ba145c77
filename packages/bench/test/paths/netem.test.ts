import { execFileSync, spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const CLI = path.resolve(import.meta.dirname, '../../dist/cli.js')

describe('bench paths --netem', () => {
  test('without the rights it says aloud that it was skipped, and why', () => {
    // Where nothing is found there is no `ip` either.
    const { status, stdout } = spawnSync(process.execPath, [CLI, 'paths', '--netem'], {
      env: { PATH: '/nowhere' },
      encoding: 'utf8',
    })
    expect(stdout).toMatch(/^SKIPPED: .* nothing was measured: .+/)
    expect(status).toBe(0)
  })

  test('no namespace is left behind', () => {
    spawnSync(process.execPath, [CLI, 'paths', '--netem', '--only', 'no scenario has this name'])
    expect(namespaces().filter((name) => name.startsWith('skein-bench-'))).toEqual([])
  })
})

function namespaces(): string[] {
  try {
    return execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n')
  } catch {
    // There are none where there is no such command.
    return []
  }
}
