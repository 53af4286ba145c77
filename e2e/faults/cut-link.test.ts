import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { CutLink } from './support/cut-link.js'
import { RawSocket } from './support/hostile-sockets.js'
import { type After, until } from './support/until.js'

describe('a link that can be cut', () => {
  test('passes on both ways', async ({ onTestFinished: after }) => {
    const { link } = await echo(after)
    const client = new RawSocket(after, link.port).write('one')
    await until('the echo', () => client.received.toString() === 'one')
  })

  test('holds a direction, and lets go what it held when it heals', async ({ onTestFinished: after }) => {
    const { link, heard } = await echo(after)
    const client = new RawSocket(after, link.port).write('one')
    await until('the echo', () => client.received.toString() === 'one')
    link.hold('back')
    client.write('two')
    await until('the other side hears', () => heard() === 'onetwo')
    link.hold('there')
    client.write('three')
    // A connection of its own, after: what is held stays behind what came later.
    const other = new RawSocket(after, link.port)
    await until('the other is connected', () => !other.socket.connecting)
    expect([client.received.toString(), heard()]).toEqual(['one', 'onetwo'])
    link.heal()
    await until('all of it', () => client.received.toString() === 'onetwothree')
  })

  test('ends connections when it is cut, and takes none until it heals', async ({
    onTestFinished: after,
  }) => {
    const { link } = await echo(after)
    const client = new RawSocket(after, link.port).write('one')
    await until('the echo', () => client.received.length > 0)
    link.cut()
    await until('the end', () => client.closed)
    const refused = new RawSocket(after, link.port)
    await until('the refusal', () => refused.closed)
    link.heal()
    const welcome = new RawSocket(after, link.port).write('two')
    await until('the echo', () => welcome.received.toString() === 'two')
  })

  test('delays, and keeps the order', async ({ onTestFinished: after }) => {
    const { link } = await echo(after)
    link.delay(100)
    const from = Date.now()
    const client = new RawSocket(after, link.port).write('one')
    await until('the echo', () => client.received.toString() === 'one')
    expect(Date.now() - from).toBeGreaterThanOrEqual(190)
    client.write('two')
    link.heal()
    client.write('three')
    await until('the rest', () => client.received.toString() === 'onetwothree')
  })
})

async function echo(after: After): Promise<{ link: CutLink; heard: () => string }> {
  let heard = ''
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      heard += chunk
      socket.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { link: await CutLink.open(after, () => port), heard: () => heard }
}
