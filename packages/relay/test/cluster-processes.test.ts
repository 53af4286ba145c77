import path from 'node:path'
import { MEMBERS_KEY } from '@skein/paxos'
import { describe, expect, test } from 'vitest'
import { openDataDirectory } from '../src/data/data-directory.js'
import { createRelay } from '../src/index.js'
import { openEnvironment } from '../src/log/lmdb-environment.js'
import { Cli, statusAt, statusUntil } from './cli-process.js'
import { freePorts, read, write } from './cluster-helpers.js'
import { relayForTest, temporaryDirectory, until } from './helpers.js'

/** Three relays in processes of their own, started by one command. */
function clusterOfThree(...more: string[]): Promise<Cli> {
  return new Cli('--cluster', '3', '--data', temporaryDirectory(), ...more).listening()
}

/** A loaded machine takes seconds to start a process, and these start many. */
const SLOW = { timeout: 120_000 }

describe('members in processes of their own', SLOW, () => {
  /** r1 in this process, r2 and r3 as commands. */
  async function start() {
    const directory = temporaryDirectory()
    const urls = (await freePorts(3)).map((port) => `ws://127.0.0.1:${port}`)
    const [r1, r2, r3] = urls as [string, string, string]
    const command = (id: string, url: string, others: Record<string, string>) =>
      new Cli(
        ...['--port', new URL(url).port, '--data', path.join(directory, id), '--id', id],
        ...Object.entries(others).flatMap(([other, at]) => ['--peer', `${other}=${at}`]),
      )
    const startR2 = () => command('r2', r2, { r1, r3 })
    const second = startR2()
    const third = command('r3', r3, { r1, r2 })
    const relay = await relayForTest({
      port: Number(new URL(r1).port),
      dataDir: path.join(directory, 'r1'),
      cluster: { id: 'r1', peers: { r2, r3 } },
    })
    await until('it is formed', () => relay.cluster.connected.length === 2)
    return { relay, second, third, startR2, r1 }
  }

  test('K10 one that stands still is noticed, the others go on, and it comes back', async () => {
    const { relay, second, third } = await start()
    await write(relay, 'home/k', '1')
    second.child.kill('SIGSTOP')
    expect(await write(relay, 'home/k', '2')).toMatchObject({ kind: 'done' })
    await until('it is noticed', () => relay.cluster.connected.join() === 'r3')
    second.child.kill('SIGCONT')
    await until('it is linked again', () => relay.cluster.connected.length === 2)
    third.child.kill('SIGSTOP')
    expect(await write(relay, 'home/k', '3')).toMatchObject({ kind: 'done', version: 3 })
    third.child.kill('SIGCONT')
  })

  test('K4 nothing that was answered is lost by kill -9 of one after the other', async () => {
    const { relay, second, third, startR2 } = await start()
    for (let i = 0; i < 20; i++) await write(relay, `home/k${i}`, 'before')
    second.child.kill('SIGKILL')
    await second.ended()
    for (let i = 0; i < 20; i++) await write(relay, `home/k${i}`, 'after')
    startR2()
    await until('it is back', () => relay.cluster.connected.includes('r2'))
    third.child.kill('SIGKILL')
    await third.ended()
    for (let i = 0; i < 20; i++) expect(await read(relay, `home/k${i}`)).toBe('after')
  })
})

describe('command line', SLOW, () => {
  test('K14 --cluster starts relays that form one, reports one that dies, and ends when told', async () => {
    const cli = await clusterOfThree('--strong', 'lock/')
    const started = [...cli.output.matchAll(/^relay {2}(ws:\S+) {2}(r\d), process (\d+)$/gm)]
    expect(started.map(([, , id]) => id)).toEqual(['r1', 'r2', 'r3'])
    const urls = started.map(([, url]) => url!)
    await Promise.all(urls.map((url) => statusUntil(url, ({ formed }) => formed)))
    process.kill(Number(started[1]![3]), 'SIGKILL')
    await until('its death is reported', () => cli.errors.includes('r2 has ended (SIGKILL)'))
    await statusUntil(urls[0]!, ({ connected }) => connected.join() === 'r3')
    cli.child.kill('SIGINT')
    expect(await cli.ended()).toBe(0)
    for (const url of urls) expect(await statusAt(url)).toBeUndefined()
  })

  test('K14 its relays do not outlive it', async () => {
    const cli = await clusterOfThree('--log-level', 'silent')
    const urls = [...cli.output.matchAll(/ws:\S+/g)].map(([url]) => url)
    cli.child.kill('SIGKILL')
    await cli.ended()
    for (const url of urls) {
      for (let tries = 0; (await statusAt(url)) !== undefined; tries++) {
        if (tries > 1_000) throw new Error(`${url} still answers`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  })

  test('K5 a member that cannot tell what it promised ends, and says why', async () => {
    const data = temporaryDirectory()
    const relay = await createRelay({ dataDir: data })
    await write(relay, 'home/k', 'v')
    await relay.close()
    const directory = await openDataDirectory(data)
    const environment = await openEnvironment(directory)
    await environment.acceptor.put(Buffer.from(MEMBERS_KEY), Buffer.from('damaged'))
    await environment.close()
    await directory.release()
    const cli = await new Cli('--port', '0', '--data', data).listening()
    const r4 = await relayForTest({ cluster: { id: 'r4', join: true } })
    const at = /ws:\S+/.exec(cli.output)![0].replace('ws:', 'http:')
    const replaced = new Cli('replace', '--at', at, '--add', `r4=${r4.url}`)
    expect(await cli.ended()).toBe(1)
    expect(cli.errors).toContain('"kind":"strong-failed"')
    expect(await replaced.ended()).toBe(1)
  })

  test('K14 replace puts a member in the place of another', async () => {
    const cli = await clusterOfThree('--log-level', 'error')
    const [r1 = ''] = /ws:\S+/.exec(cli.output)!
    await statusUntil(r1, ({ formed }) => formed)
    const r4 = await new Cli(
      '--port',
      '0',
      '--data',
      temporaryDirectory(),
      '--id',
      'r4',
      '--join',
    ).listening()
    const [url = ''] = /ws:\S+/.exec(r4.output)!
    // As it is printed, or as the plain URL.
    const args = ['replace', '--at', r1, '--remove', 'r2', '--add', `r4=${url}`]
    const replaced = new Cli(...args)
    expect(await replaced.ended()).toBe(0)
    expect(replaced.output).toContain('members r1, r3, r4')
    await statusUntil(url, ({ epoch, connected }) => epoch === 3 && connected.includes('r3'))
    const wrong = new Cli('replace', '--at', r1.replace('ws:', 'http:'), '--remove', 'r7')
    expect(await wrong.ended()).toBe(1)
    expect(wrong.errors).toBe('error: r7 is not a member. Nothing was changed\n')
  })

  test.each([
    [['--id', 'a b'], '--id'],
    [['--peer', 'r2=ws://127.0.0.1:1'], '--id'],
    [['--id', 'r1', '--peer', 'r2'], '--peer'],
    [['--id', 'r1', '--peer', 'r1=ws://127.0.0.1:1'], '--peer'],
    [['--id', 'r1', '--peer', 'r2=ws://127.0.0.1:1', '--peer', 'r2=ws://127.0.0.1:2'], 'twice'],
    [['--id', 'r1', '--join', '--peer', 'r2=ws://127.0.0.1:1'], '--join'],
    [['--strong', ''], '--strong'],
    [['--cluster', '4'], '--cluster'],
    [['--cluster', '3', '--id', 'r1'], '--cluster'],
    [['--cluster', '5', '--port', '65533'], '--port'],
    [['replace'], '--at'],
    [['replace', '--at', 'http://127.0.0.1:1'], '--remove'],
    [['replace', '--at', 'http://127.0.0.1:1', '--add', 'r4'], '--add'],
  ])('L15 %j is wrong and exits with 2', async (args, named) => {
    const cli = new Cli(...args)
    expect(await cli.ended()).toBe(2)
    expect(cli.errors).toMatch(/^error: .*\n$/)
    expect(cli.errors).toContain(named)
  })
})
