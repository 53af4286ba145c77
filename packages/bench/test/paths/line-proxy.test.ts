import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type LineOptions, Random } from '@skein/simulator'
import { describe, expect, test } from 'vitest'
import { LineProxy } from '../../src/paths/real/line-proxy.js'
import { HELD_BYTES_MAX } from '../../src/paths/real/pump.js'

const LINE: LineOptions = {
  delayMs: 0,
  jitter: 0,
  rate: Number.POSITIVE_INFINITY,
  burstEveryMs: 0,
  burstMs: 0,
}

describe('a line as a proxy', () => {
  test('carries both ways in order, and counts', async ({ onTestFinished: after }) => {
    const { line, client } = await echo(after, { ...LINE, delayMs: 5, jitter: 0.9, rate: 500 })
    const sent = Array.from({ length: 2_000 }, (_, i) => `${i} `).join('')
    for (let at = 0; at < sent.length; at += 100) client.write(sent.slice(at, at + 100))
    expect(await heard(client, sent.length)).toBe(sent)
    expect(line.bytes).toEqual({ up: sent.length, down: sent.length })
  })

  test('delays each way, and the handshake by a round trip', async ({ onTestFinished: after }) => {
    const { client } = await echo(after, { ...LINE, delayMs: 40 })
    const firstMs = await echoed(client, 'one')
    const secondMs = await echoed(client, 'two')
    // Timers may come half a millisecond early, each way.
    expect(firstMs).toBeGreaterThanOrEqual(159)
    expect(secondMs).toBeGreaterThanOrEqual(79)
  })

  test('carries no more bytes a millisecond than its rate', async ({ onTestFinished: after }) => {
    const { client } = await echo(after, { ...LINE, rate: 100 })
    const atMs = performance.now()
    client.write('x'.repeat(20_000))
    await heard(client, 20_000)
    // There and back overlap, but for a segment.
    expect(performance.now() - atMs).toBeGreaterThanOrEqual(199)
  })

  test.for(['up', 'down', 'both'] as const)(
    'a hole %s holds everything, new connections too, until it is over',
    async (way, { onTestFinished: after }) => {
      const { line, client, received } = await echo(after, LINE)
      await echoed(client, 'one')
      const atMs = performance.now()
      line.hole(way, 300)
      client.write('two')
      const another = connect(line.port, '127.0.0.1').setEncoding('utf8')
      after(() => void another.destroy())
      another.write('three')
      if (way === 'down') await until(() => received() === 'onetwothree')
      await Promise.all([heard(client, 3), heard(another, 5)])
      expect(performance.now() - atMs).toBeGreaterThanOrEqual(299)
    },
  )

  test('what is on its way when a connection is reset is lost, and both ends are told', async ({
    onTestFinished: after,
  }) => {
    const { line, client, peers, received } = await echo(after, { ...LINE, delayMs: 20 })
    await echoed(client, 'one')
    client.write('two')
    await until(() => line.bytes.up === 6)
    const gone = [closed(client), closed(peers[0]!)]
    line.close('reset')
    await Promise.all(gone)
    const again = connect(line.port, '127.0.0.1').setEncoding('utf8')
    after(() => void again.destroy())
    await echoed(again, 'three')
    expect(received()).toBe('onethree')
  })

  test('an orderly end is one at both ends', async ({ onTestFinished: after }) => {
    const { line, client, peers } = await echo(after, LINE)
    await echoed(client, 'one')
    const ends = [once(client, 'end'), once(peers[0]!, 'end')]
    line.close('end')
    await Promise.all(ends)
  })

  test('what was sent before the end arrives before it', async ({ onTestFinished: after }) => {
    const { client, peers, received } = await echo(after, { ...LINE, delayMs: 30 })
    await echoed(client, 'one')
    client.end('two')
    await once(peers[0]!, 'end')
    expect(received()).toBe('onetwo')
  })

  test('holds no more than so much; the rest waits at the sender', async ({ onTestFinished: after }) => {
    const { line, client, received } = await echo(after, LINE)
    await echoed(client, 'one')
    line.hole('up', 500)
    client.write(Buffer.alloc(16 * 1024 * 1024, 'x'))
    let before = -1
    await until(() => {
      // It takes no more once it is full, whatever the system's buffers hold.
      const isFull = line.bytes.up > HELD_BYTES_MAX && line.bytes.up === before
      before = line.bytes.up
      return isFull
    })
    expect(line.bytes.up).toBeLessThanOrEqual(3 + HELD_BYTES_MAX + 64 * 1024)
    expect(client.writableLength).toBeGreaterThan(0)
    client.resume()
    await until(() => received().length === 3 + 16 * 1024 * 1024)
  })

  test('a line to nowhere ends its connections', async ({ onTestFinished: after }) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const line = await lineTo(after, port, LINE)
    const client = connect(line.port, '127.0.0.1')
    client.resume()
    await closed(client)
  })
})

type After = (cleanUp: () => void | Promise<void>) => void

/** A line to a server that sends back what it hears, and a client of it. */
async function echo(after: After, options: LineOptions) {
  const chunks: Buffer[] = []
  const peers: Socket[] = []
  const server = createServer((socket) => {
    peers.push(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      socket.write(chunk)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const line = await lineTo(after, (server.address() as AddressInfo).port, options)
  after(() => {
    server.close()
    for (const peer of peers) peer.destroy()
  })
  const client = connect({ port: line.port, host: '127.0.0.1', noDelay: true }).setEncoding('utf8')
  after(() => void client.destroy())
  return { line, client, peers, received: () => Buffer.concat(chunks).toString() }
}

async function lineTo(after: After, port: number, options: LineOptions): Promise<LineProxy> {
  const line = await LineProxy.open({ port, up: options, down: options, random: new Random(1) })
  after(() => line.shut())
  return line
}

/** How long the echo took. */
async function echoed(client: Socket, text: string): Promise<number> {
  const atMs = performance.now()
  client.write(text)
  expect(await heard(client, text.length)).toBe(text)
  return performance.now() - atMs
}

async function heard(client: Socket, chars: number): Promise<string> {
  let text = ''
  const take = (chunk: string) => {
    text += chunk
  }
  client.on('data', take)
  await until(() => text.length >= chars)
  client.off('data', take)
  return text
}

/** The test's own limit ends what waits in vain. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}

/** An error says no more than the close that follows it. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {})
  return new Promise((resolve) => socket.once('close', () => resolve()))
}
