import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** One of the programs in `children/`, and the lines it printed. They run what `pnpm build` made. */
export interface Child {
  readonly process: ChildProcess
  readonly lines: string[]
  readonly errors: string[]
  /** Resolves when so many lines are there, or the child ended before. */
  hasPrinted(count: number): Promise<void>
  /** Kills it as a power switch would, and resolves when its last line is read. */
  kill(): Promise<void>
  readonly ended: Promise<void>
}

/** @param wrapper a command in front of `node`, such as `sh -c 'ulimit -f 1; exec "$@"' -` */
export function startChild(name: string, args: readonly string[], wrapper: readonly string[] = []): Child {
  const script = fileURLToPath(new URL(`children/${name}.mjs`, import.meta.url))
  const [command, ...rest] = [...wrapper, process.execPath, script, ...args]
  const child = spawn(command!, rest, { stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  const errors: string[] = []
  let onLine = () => {}
  const output = createInterface(child.stdout)
  output.on('line', (line) => {
    lines.push(line)
    onLine()
  })
  createInterface(child.stderr).on('line', (line) => errors.push(line))
  const ended = Promise.all([once(child, 'exit'), once(output, 'close')]).then(() => {})
  return {
    process: child,
    lines,
    errors,
    ended,
    async hasPrinted(count) {
      const enough = new Promise<void>((resolve) => {
        onLine = () => lines.length >= count && resolve()
        onLine()
      })
      await Promise.race([enough, ended])
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
