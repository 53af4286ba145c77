import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { open } from 'lmdb'
import { median } from '../relay/results.js'
import { HttpConnection } from './http-connection.js'

/** What nothing on this machine can be faster than: the parts that a strong write is made of, each alone. */
export interface Limits {
  readonly flush: Spread
  readonly lmdbCommit: Spread
  readonly roundTrip: Spread
  /** Per second, of one process that does nothing else, to 64 clients. */
  readonly roundTripsPerSecond: number
}

/** In milliseconds. The lower one tells what it takes where other programs leave the machine alone. */
export interface Spread {
  readonly p10: number
  readonly median: number
}

export async function measureLimits(seconds: number): Promise<Limits> {
  const directory = mkdtempSync(path.join(tmpdir(), 'skein-bench-limits-'))
  try {
    const flush = writeAhead(path.join(directory, 'file'))
    const lmdbCommit = await lmdb(path.join(directory, 'lmdb'))
    return { flush, lmdbCommit, ...(await http(seconds)) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const FLUSHES = 300
const PAGE = Buffer.alloc(4_096, 1)

/** One page written where there was one already, and flushed, as a relay does it: no file grows. */
function writeAhead(file: string): Spread {
  const isSynchronous = process.platform === 'linux'
  const flags = constants.O_CREAT | constants.O_WRONLY | (isSynchronous ? constants.O_DSYNC : 0)
  const descriptor = openSync(file, flags)
  try {
    const once = () => {
      writeSync(descriptor, PAGE, 0, PAGE.length, 0)
      if (!isSynchronous) fdatasyncSync(descriptor)
    }
    once()
    return spreadOf(Array.from({ length: FLUSHES }, () => timed(once)))
  } finally {
    closeSync(descriptor)
  }
}

/** One small value in one transaction, with the settings of a relay. */
async function lmdb(directory: string): Promise<Spread> {
  const root = open<Buffer, string>({
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
  })
  const times: number[] = []
  for (let i = 0; i < FLUSHES; i++) {
    const from = performance.now()
    await root.put(`key-${i % 16}`, PAGE.subarray(0, 200))
    times.push(performance.now() - from)
  }
  await root.close()
  return spreadOf(times)
}

async function http(seconds: number): Promise<Pick<Limits, 'roundTrip' | 'roundTripsPerSecond'>> {
  const echo = fork(path.join(import.meta.dirname, 'echo-process.js'), { stdio: 'inherit' })
  try {
    const [port] = (await once(echo, 'message')) as [number]
    const alone = await roundTrips(port, 1, seconds * 500)
    const together = await roundTrips(port, 64, seconds * 1_000)
    return { roundTrip: spreadOf(alone), roundTripsPerSecond: together.length / seconds }
  } finally {
    await ended(echo)
  }
}

async function roundTrips(port: number, clients: number, milliseconds: number): Promise<number[]> {
  const times: number[] = []
  const end = performance.now() + milliseconds
  const loop = async () => {
    const connection = await HttpConnection.open(port)
    for (let from = performance.now(); from < end; ) {
      await connection.request('PUT', '/key', 'if-match: "1"\r\n', '{"owner":"client","n":1}')
      const now = performance.now()
      times.push(now - from)
      from = now
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: clients }, loop))
  return times
}

function spreadOf(times: readonly number[]): Spread {
  const sorted = times.toSorted((a, b) => a - b)
  return { p10: sorted[Math.floor(sorted.length / 10)]!, median: median(times) }
}

function timed(run: () => void): number {
  const from = performance.now()
  run()
  return performance.now() - from
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}
