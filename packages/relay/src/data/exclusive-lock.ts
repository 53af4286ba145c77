import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, realpath, rename, rm, symlink } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RelayError } from '../errors.js'
import { askClaim } from './claim-question.js'
import { holdPipe } from './pipe-lock.js'

/** Names of the lock's sockets in the data directory; `.new` while one is being made. */
export const LOCK_FILE = /^relay-[0-9a-f]{12}\.lock(\.new)?$/

export interface Lock {
  /** Lets the next relay in. Idempotent. The end of the process does it too, however it ends. */
  release(): Promise<void>
}

/**
 * Makes this process the only relay on a directory. Node has no flock, and a file with a process id lies
 * after a kill and between containers; a listening socket dies with its process.
 *
 * Each starter listens on a socket of its own name in the directory, and only then looks for others, so that of two
 * at least one sees the other. Names are never used twice: a socket nobody listens on is a dead relay's, and whoever
 * finds it may remove it. Among starters the lowest name wins: a higher one gives way, a lower one
 * waits until the higher has. One that already holds the directory wins over all.
 * @throws RelayError `data-in-use`, `data-not-writable`
 */
export async function lockDirectory(path: string): Promise<Lock> {
  const directory = await realpath(path)
  if (process.platform === 'win32') return holdPipe(directory)
  const alias = await shortAlias(directory)
  try {
    return await claim(directory, alias?.path ?? directory)
  } finally {
    await alias?.remove()
  }
}

/** A socket's path is cut off silently after 103 bytes (macOS) or 107 (Linux). */
const SOCKET_PATH_BYTES_MAX = 100

/** @param reachable a path to the directory that is short enough for sockets */
async function claim(directory: string, reachable: string): Promise<Lock> {
  const name = `relay-${randomBytes(6).toString('hex')}.lock`
  const claim = new Claim()
  const release = async () => {
    claim.withdraw()
    await rm(join(directory, name), { force: true })
  }
  try {
    // Whoever sees the final name must find someone listening.
    await claim.listen(join(reachable, `${name}.new`))
    await rename(join(directory, `${name}.new`), join(directory, name))
    for (const other of await readdir(directory)) {
      if (!LOCK_FILE.test(other) || other === name) continue
      // The maker of an unfinished one has not looked around yet, and will find this claim.
      if (other.endsWith('.new')) continue
      const answer = await askClaim(join(reachable, other), name < other)
      if (answer === 'dead') await rm(join(directory, other), { force: true })
      if (answer === 'holds') throw inUse(directory)
    }
  } catch (error) {
    await release()
    await rm(join(directory, `${name}.new`), { force: true })
    throw error instanceof RelayError ? error : notWritable(directory, error)
  }
  claim.hold()
  return { release }
}

/** This process's socket. Whoever connects is told `?` while the claim is open, and `!` once it holds. */
class Claim {
  readonly #server: Server
  readonly #asking = new Set<Socket>()
  #holds = false

  constructor() {
    this.#server = createServer((socket) => {
      this.#asking.add(socket)
      socket.on('close', () => this.#asking.delete(socket))
      socket.on('error', () => {})
      socket.unref()
      socket.write(this.#holds ? '!' : '?')
    })
  }

  async listen(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(path, resolve)
    })
    // The lock alone is no reason to keep the process alive.
    this.#server.unref()
  }

  hold(): void {
    this.#holds = true
    for (const socket of this.#asking) socket.write('!')
  }

  withdraw(): void {
    this.#server.close()
    for (const socket of this.#asking) socket.destroy()
  }
}

/** A symbolic link to a directory whose own path is too long for sockets. */
async function shortAlias(directory: string) {
  const longest = join(directory, `relay-${'0'.repeat(12)}.lock.new`)
  if (Buffer.byteLength(longest) <= SOCKET_PATH_BYTES_MAX) return undefined
  const parent = await mkdtemp(join(tmpdir(), 'skein-'))
  const path = join(parent, 'd')
  await symlink(directory, path)
  return { path, remove: () => rm(parent, { recursive: true, force: true }) }
}

function inUse(directory: string): RelayError {
  const what = `another relay runs on ${directory}`
  return new RelayError('data-in-use', `${what}. Stop it, or give this one a directory of its own`)
}

function notWritable(directory: string, cause: unknown): RelayError {
  const message = `cannot lock ${directory} by a socket in it: ${(cause as Error).message}`
  return new RelayError('data-not-writable', message, { cause })
}
