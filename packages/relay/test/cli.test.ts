import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RawClient, relayForTest, temporaryDirectory, until } from './helpers.js'

const CLI = path.resolve(import.meta.dirname, '../dist/cli.js')

class Cli {
  output = ''
  errors = ''
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
    child.stderr.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString()
    })
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

  /** What it says on standard error, and that it stops with this code and without a stack trace. */
  async function failure(exitCode: number, ...args: string[]): Promise<string> {
    const cli = new Cli(...args)
    expect(await cli.exited).toBe(exitCode)
    expect(cli.output).toBe(cli.errors)
    expect(cli.errors).not.toMatch(/\n\s+at /)
    return cli.errors
  }

  test.each<[option: string, what: string, ...args: string[]]>([
    ['--prot', 'Unknown option', '--prot', '1'],
    ['extra', 'Unexpected argument', 'extra'],
    ['--port', 'argument', '--port'],
    ['--port', '"abc" is not a number', '--port', 'abc'],
    ['--port', '"" is not a number', '--port', ''],
    ['--port', '"-1" is not a number', '--port=-1'],
    ['--port', '"70000" is not a number', '--port', '70000'],
    ['--port', '"1e3" is not a number', '--port', '1e3'],
    ['--host', 'not a loopback address', '--host', '0.0.0.0'],
    ['--host', 'not a loopback address', '--host', ''],
    ['--data', 'empty', '--data', ''],
    ['--origin', '"nonsense" is not an origin', '--origin', 'nonsense'],
    ['--origin', 'is not an origin', '--origin', 'https://fine.example', '--origin', 'https://a.example/'],
    ['--log-level', '"loud" is none of debug, info', '--log-level', 'loud'],
  ])('L15 a wrong command line: %s, %s', async (option, what, ...args) => {
    const said = await failure(2, ...args)
    expect(said).toContain(option)
    expect(said).toContain(what)
    expect(said.trimEnd()).not.toContain('\n')
  })

  test('L15 a port in use', async () => {
    const relay = await relayForTest()
    const output = await failure(1, '--port', String(relay.port), '--data', temporaryDirectory())
    expect(output).toContain(`port ${relay.port} is in use`)
    expect(output).toContain('choose another')
  })

  test('L15 a data directory in use', async () => {
    const data = temporaryDirectory()
    await new Cli('--port', '0', '--data', data).listening()
    expect(await failure(1, '--port', '0', '--data', data)).toContain(data)
  })

  test("L15 a directory that is something else's", async () => {
    const data = temporaryDirectory()
    writeFileSync(path.join(data, 'thesis.txt'), 'years of work')
    expect(await failure(1, '--port', '0', '--data', data)).toContain('thesis.txt')
  })

  test('L15 a directory that cannot be made', async () => {
    const file = path.join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    expect(await failure(1, '--port', '0', '--data', path.join(file, 'data'))).toContain(
      'cannot make or write',
    )
  })

  test('L15 a store that was overwritten', async () => {
    const data = temporaryDirectory()
    const first = new Cli('--port', '0', '--data', data)
    await first.listening()
    first.child.kill('SIGTERM')
    await first.exited
    writeFileSync(path.join(data, 'data.mdb'), Buffer.alloc(20_000, 7))
    const output = await failure(1, '--port', '0', '--data', data)
    expect(output).toContain(data)
    expect(output).toContain('Nothing was changed')
  })

  test('L18 what happens is logged as JSON on standard error, and nowhere else', async () => {
    const cli = new Cli('--port', '0', '--data', temporaryDirectory(), '--log-level', 'debug')
    const url = await cli.listening()
    const started = cli.output
    const client = await new RawClient(`${url}/home`).opened()
    client.socket.send('text\n')
    await client.closedWith()
    const lines = () => cli.errors.split('\n').slice(0, -1)
    await until('its end is logged', () => cli.errors.includes('connection-closed'))
    const time = expect.stringMatching(/^\d{4}-.*Z$/)
    expect(lines().map((line) => JSON.parse(line))).toEqual([
      { level: 'debug', time, kind: 'connection-opened', room: 'home' },
      { level: 'warn', time, kind: 'client-closed', room: 'home', code: 4400, reason: expect.any(String) },
      { level: 'debug', time, kind: 'connection-closed', room: 'home', code: 4400 },
    ])
    expect(cli.output).toBe(started + cli.errors)
  })

  test('L18 a flood of bad clients is a few lines and a sum', async () => {
    const cli = new Cli('--port', '0', '--data', temporaryDirectory())
    const url = await cli.listening()
    const flood = 60
    const clients = await Promise.all(
      Array.from({ length: flood }, () => new RawClient(`${url}/home`).opened()),
    )
    for (const { socket } of clients) socket.send(Uint8Array.of(0))
    const lines = () =>
      cli.errors
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { kind: string; suppressed?: number })
        .filter(({ kind }) => kind === 'client-closed')
    const suppressed = () => lines().reduce((sum, line) => sum + (line.suppressed ?? 0), 0)
    const logged = () => lines().filter((line) => line.suppressed === undefined).length
    await until('all are accounted for', () => suppressed() + logged() === flood)
    expect(suppressed()).toBeGreaterThan(0)
  })

  test('L18 silent logs nothing', async () => {
    const cli = new Cli('--port', '0', '--data', temporaryDirectory(), '--log-level', 'silent')
    const url = await cli.listening()
    const client = await new RawClient(`${url}/home`).opened()
    client.socket.send('text')
    await client.closedWith()
    cli.child.kill('SIGTERM')
    expect(await cli.exited).toBe(0)
    expect(cli.errors).toBe('')
  })
})
