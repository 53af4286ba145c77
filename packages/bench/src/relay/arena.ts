import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Contender, type ContenderName } from './contender.js'
import type { Histories } from './history/histories.js'

/** What one run of a case works with: the servers it starts, and their directories, end with the run. */
export class Arena {
  private readonly started: Contender[] = []
  private readonly directories: string[] = []

  constructor(
    readonly name: ContenderName,
    readonly histories: Histories,
  ) {}

  /** Starts the contender in a fresh process, on an empty directory unless one is given. */
  async start(dataDir = this.directory()): Promise<Contender> {
    const contender = await Contender.start(this.name, dataDir)
    this.started.push(contender)
    return contender
  }

  directory(): string {
    const directory = mkdtempSync(path.join(tmpdir(), 'skein-bench-'))
    this.directories.push(directory)
    return directory
  }

  async end(): Promise<void> {
    for (const contender of this.started) await contender.kill()
    for (const directory of this.directories) rmSync(directory, { recursive: true, force: true })
  }
}
