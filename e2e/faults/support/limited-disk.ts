import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { temporaryDirectory } from './relay-process.js'
import type { After } from './until.js'

/** A place for a data directory that takes only so much, until `relieve`. */
export interface LimitedDisk {
  readonly data: string
  /** Goes in front of the command of a relay that is to see the limit. */
  readonly wrapper: readonly string[]
  /** Gives space; what was started before may have to be started anew, with `wrapper` as it is then. */
  relieve(): void
}

/** In blocks of 512 bytes, as `ulimit` of POSIX shells counts. */
const FILE_BLOCKS_MAX = 3000

/** A limit of the size of files: a real refusal by the system that needs no rights. */
export function limitedFileSize(after: After): LimitedDisk {
  let wrapper: readonly string[] = ['sh', '-c', `ulimit -f ${FILE_BLOCKS_MAX}; exec "$@"`, '-']
  return {
    data: temporaryDirectory(after),
    get wrapper() {
      return wrapper
    },
    relieve: () => {
      wrapper = []
    },
  }
}

/** Whether this user may mount things where nobody else sees them. */
export function canMount(): boolean {
  return process.platform === 'linux' && spawnSync('unshare', ['-m', 'true']).status === 0
}

/** Two write-ahead files of 1 MiB, and as much for the store as the limit of file size leaves. */
const FILE_SYSTEM = '3584k'

/** A small file system in a mount namespace of its own, which a process holds open. */
export async function smallFileSystem(after: After): Promise<LimitedDisk> {
  const directory = temporaryDirectory(after)
  const script = `mount -t tmpfs -o size=${FILE_SYSTEM} skein "$1" && echo mounted && exec cat`
  const holder = spawn('unshare', ['-m', 'sh', '-c', script, '-', directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  after(() => ended(holder))
  await once(holder.stdout, 'data')
  const inside = ['nsenter', '-t', String(holder.pid), '-m', '--']
  return {
    data: `${directory}/data`,
    wrapper: inside,
    relieve: () => {
      const [command, ...rest] = [...inside, 'mount', '-o', 'remount,size=64m', directory]
      const { status, stderr } = spawnSync(command!, rest, { encoding: 'utf8' })
      if (status !== 0) throw new Error(`cannot enlarge the file system: ${stderr}`)
    },
  }
}

/** The namespace, and with it the file system, goes with its last process. */
async function ended(holder: ChildProcess): Promise<void> {
  if (holder.exitCode === null && holder.kill('SIGKILL')) await once(holder, 'exit')
}
