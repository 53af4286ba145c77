import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as Y from 'yjs'
import { openLmdbStore } from '../../src/store/lmdb-store.js'
import { COMPACT_ENTRIES_MIN } from '../../src/store/store.js'
import { temporaryDirectory } from './temporary-directory.js'

const APPEND_LOOP = fileURLToPath(new URL('processes/append-loop.mjs', import.meta.url))
const FULL_DISK = fileURLToPath(new URL('processes/full-disk.mjs', import.meta.url))
const LOADED_LIBRARIES = fileURLToPath(new URL('processes/loaded-libraries.mjs', import.meta.url))

/** Keeps the last append that a process reported as done, and what made it stop. */
function watch(child: ChildProcess, onDone: (last: number) => void = () => {}) {
  const report = { last: -1, failed: '', exited: once(child, 'close') }
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const [what, value] = line.split(' ')
    if (what === 'failed') {
      report.failed = value!
      return
    }
    report.last = Number(value)
    onDone(report.last)
  })
  return report
}

function appendLoop(directory: string, name: string, appends: number, textBytes = 10): ChildProcess {
  const args = [APPEND_LOOP, directory, name, String(appends), String(textBytes)]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function storedKeys(directory: string): Promise<Set<string>> {
  const store = await openLmdbStore(directory, 'home')
  const { updates } = await store.load()
  await store.close()
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return new Set(doc.getMap('state').keys())
}

test('every append that a killed process reported as done is there, through several kills', async () => {
  const directory = join(temporaryDirectory(), 'home')
  const reported: string[] = []
  for (let round = 0; round < 5; round++) {
    const child = appendLoop(directory, `round${round}`, 1_000_000)
    const killAfter = 50 + round * 77
    const report = watch(child, (last) => last >= killAfter && child.kill('SIGKILL'))
    await report.exited
    expect(child.signalCode).toBe('SIGKILL')
    for (let i = 0; i <= report.last; i++) reported.push(`round${round}/${i}`)
    const stored = await storedKeys(directory)
    expect(reported.filter((key) => !stored.has(key))).toEqual([])
  }
  expect(reported.length).toBeGreaterThan(5 * 50)
})

test('processes that append at the same time lose nothing of each other', async () => {
  const directory = join(temporaryDirectory(), 'home')
  const names = ['first', 'second', 'third']
  const reports = names.map((name) => watch(appendLoop(directory, name, 141)))
  await Promise.all(reports.map((report) => report.exited))
  expect(reports.map((report) => report.failed)).toEqual(['', '', ''])
  const stored = await storedKeys(directory)
  const expected = names.flatMap((name) => Array.from({ length: 141 }, (_, i) => `${name}/${i}`))
  expect(expected.filter((key) => !stored.has(key))).toEqual([])
  expect(stored.size).toBe(expected.length)
})

describe.skipIf(!canMount())('on a full disk', () => {
  test('appends are store-full, what was done before is kept, and appends go on when there is room', async () => {
    const { appends, copy } = await onSmallDisk(5000, 'free-room')
    const failed = appends.filter(({ outcome }) => outcome !== 'done')
    expect(failed).toEqual([expect.objectContaining({ outcome: expect.stringMatching(/^store-full /) })])
    expect(appends.at(-1)?.outcome).toBe('done')
    expect(appends.length).toBeGreaterThan(5)
    const done = appends.filter(({ outcome }) => outcome === 'done').map(({ key }) => key)
    const stored = await storedKeys(join(copy, 'home'))
    expect(done.filter((key) => !stored.has(key))).toEqual([])
  })

  test('a store that has no room for a compaction loads without one', async () => {
    const { appends } = await onSmallDisk(1000, 'load')
    const done = appends.filter(({ outcome }) => outcome === 'done').length
    expect(done).toBeGreaterThanOrEqual(COMPACT_ENTRIES_MIN)
    expect(appends.at(-1)).toEqual({ key: 'load', outcome: String(done) })
  })

  test('a store that is opened anew and finds itself deleted does not start from nothing', async () => {
    const { appends, copy } = await onSmallDisk(5000, 'delete-store')
    expect(appends.at(-1)?.outcome).toMatch(/^store-unavailable .*deleted/)
    expect(readdirSync(copy)).not.toContain('home')
  })
})

/** Runs a process on a disk that exists for it alone; what is on it in the end is copied out of it. */
async function onSmallDisk(textBytes: number, then: string) {
  const directory = temporaryDirectory()
  const [disk, copy] = [join(directory, 'disk'), join(directory, 'copy')]
  mkdirSync(disk)
  const script = 'mount -t tmpfs -o size=700k tmpfs "$1" && "$2" "$3" "$1" "$4" "$5" && cp -r "$1" "$6"'
  const args = [
    '-rm',
    'sh',
    '-c',
    script,
    'sh',
    disk,
    process.execPath,
    FULL_DISK,
    String(textBytes),
    then,
    copy,
  ]
  const { stdout } = await promisify(execFile)('unshare', args)
  const appends: { key: string; outcome: string }[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return { appends, copy }
}

/** Whether this system lets us mount a disk in a namespace of its own. */
function canMount(): boolean {
  return spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0
}

test('the native library is loaded when a store is opened, and not before', async () => {
  const directory = join(temporaryDirectory(), 'home')
  const { stdout } = await promisify(execFile)(process.execPath, [LOADED_LIBRARIES, directory])
  expect(JSON.parse(stdout)).toEqual({ imported: false, opened: true })
})
