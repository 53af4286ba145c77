import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { relayForTest, temporaryDirectory } from './helpers.js'

const CLI = path.resolve(import.meta.dirname, '../dist/cli.js')

class Cli {
  output = ''
  readonly child: ChildProcess
  readonly exited: Promise<number | null>

  constructor(...args: string[]) {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
      })
    }
    this.exited = new Promise((resolve) => child.once('close', (code) => resolve(code)))
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
  }

  /** Waits until it listens. */
  async listening(): Promise<string> {
    while (!/access/.test(this.output)) {
      await new Promise((resolve) => this.child.stdout!.once('data', resolve))
    }
    return /ws:\/\/\S+/.exec(this.output)![0]
  }
}

describe('command line', () => {
  test('L14 prints where it listens, where its data is, and how it is secured; stops cleanly', async () => {
    const data = path.join(temporaryDirectory(), 'made', 'here')
    const cli = new Cli('--port', '0', '--data', data)
    expect(await cli.listening()).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/)
    expect(cli.output).toContain(data)
    expect(cli.output).toContain('this machine only')
    cli.child.kill('SIGTERM')
    expect(await cli.exited).toBe(0)
  })

  test('L14 starts again after kill -9', async () => {
    const data = temporaryDirectory()
    const first = new Cli('--port', '0', '--data', data)
    await first.listening()
    first.child.kill('SIGKILL')
    await first.exited
    await new Cli('--port', '0', '--data', data).listening()
  })

  test('L14 help', async () => {
    const cli = new Cli('--help')
    expect(await cli.exited).toBe(0)
    expect(cli.output).toContain('--data')
  })

  /** What it says, and that it stops with a failure and without a stack trace. */
  async function failure(...args: string[]): Promise<string> {
    const cli = new Cli(...args)
    expect(await cli.exited).toBeGreaterThan(0)
    expect(cli.output).not.toMatch(/\n\s+at /)
    return cli.output
  }

  test('L15 an unknown option', async () => {
    expect(await failure('--prot', '1')).toContain('--prot')
  })

  test.each(['eighty', '-1', '70000'])('L15 the port %s', async (port) => {
    expect(await failure(`--port=${port}`, '--data', temporaryDirectory())).toContain('port')
  })

  test('L15 a port in use', async () => {
    const relay = await relayForTest()
    const output = await failure('--port', String(relay.port), '--data', temporaryDirectory())
    expect(output).toContain(`port ${relay.port} is in use`)
    expect(output).toContain('choose another')
  })

  test('L15 a data directory in use', async () => {
    const data = temporaryDirectory()
    await new Cli('--port', '0', '--data', data).listening()
    expect(await failure('--port', '0', '--data', data)).toContain(data)
  })

  test("L15 a directory that is something else's", async () => {
    const data = temporaryDirectory()
    writeFileSync(path.join(data, 'thesis.txt'), 'years of work')
    expect(await failure('--port', '0', '--data', data)).toContain('thesis.txt')
  })

  test('L15 a directory that cannot be made', async () => {
    const file = path.join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    expect(await failure('--port', '0', '--data', path.join(file, 'data'))).toContain('cannot make or write')
  })

  test('L15 a store that was overwritten', async () => {
    const data = temporaryDirectory()
    const first = new Cli('--port', '0', '--data', data)
    await first.listening()
    first.child.kill('SIGTERM')
    await first.exited
    writeFileSync(path.join(data, 'data.mdb'), Buffer.alloc(20_000, 7))
    const output = await failure('--port', '0', '--data', data)
    expect(output).toContain(data)
    expect(output).toContain('Nothing was changed')
  })

  test('L15 an address that is not loopback', async () => {
    expect(await failure('--host', '0.0.0.0', '--port', '0')).toContain('loopback')
  })
})
