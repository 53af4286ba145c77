import { type ChildProcess, spawn } from 'node:child_process'

/** A Node process of a test, and what it has printed. */
export class TestProcess {
  output = ''
  readonly exited: Promise<number | null>
  private readonly child: ChildProcess

  constructor(script: string, args: readonly string[]) {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    child.stdout.on('data', (chunk: Buffer) => {
      this.output += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      this.output += chunk.toString()
    })
    this.exited = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
  }

  /** Waits for something in the output and returns the match. Fails if the process ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output)
      if (match !== null) return match
      await Promise.race([this.news(), this.exited])
      if (this.child.exitCode !== null && !pattern.test(this.output)) {
        throw new Error(
          `the process ended with ${this.child.exitCode} before printing ${pattern}:\n${this.output}`,
        )
      }
    }
  }

  /** Waits for output on either stream. */
  private news(): Promise<void> {
    const { stdout, stderr } = this.child
    return new Promise((resolve) => {
      const told = () => {
        stdout?.off('data', told)
        stderr?.off('data', told)
        resolve()
      }
      stdout?.on('data', told)
      stderr?.on('data', told)
    })
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal)
    return this.exited
  }
}
