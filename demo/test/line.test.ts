import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { SLOW_ROUND_TRIP_MS } from '../src/model/lab.js'
import { HELD_BYTES_MAX } from '../src/start/direction.js'
import { Line } from '../src/start/line.js'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

/** What a socket reads at once. */
const READ_BYTES_MAX = 64 * 1024

describe('a line', () => {
  test('hands on both ways, and the end of each', async () => {
    const { agent, relay } = await connected()
    agent.write('ask')
    expect(await heard(relay)).toBe('ask')
    relay.write('answer')
    expect(await heard(agent)).toBe('answer')
    agent.end('last words')
    expect(await heard(relay)).toBe('last words')
    await once(relay, 'end')
    relay.end()
    await once(agent, 'close')
  })

  test('that is slow takes its time each way, and keeps the order when it is normal again', async () => {
    const { line, agent, relay } = await connected()
    line.mode = 'slow'
    const sentAt = performance.now()
    agent.write('slow ')
    await expect.poll(() => line.held.bytes).toBe(5)
    line.mode = 'normal'
    agent.write('quick')
    let text = ''
    while (text !== 'slow quick') text += await heard(relay)
    // Timers may be a millisecond early.
    expect(performance.now() - sentAt).toBeGreaterThanOrEqual(SLOW_ROUND_TRIP_MS / 2 - 2)
  })

  test('that is silent takes connections and delivers nothing, also no end, until it is not', async () => {
    const { line, connectAgent, relays } = await started()
    line.mode = 'silent'
    const agent = await connectAgent()
    agent.end('anybody there?')
    // The words and the end.
    await expect.poll(() => line.held.things).toBe(2)
    const relay = await relays()
    expect(relay.bytesRead).toBe(0)
    line.mode = 'normal'
    expect(await heard(relay)).toBe('anybody there?')
    await once(relay, 'end')
  })

  test('that is silent does not tell that the relay is gone', async () => {
    const { line, agent, relay } = await connected()
    line.mode = 'silent'
    relay.destroy()
    await expect.poll(() => line.held.things).toBeGreaterThan(0)
    expect(agent.destroyed).toBe(false)
    line.mode = 'normal'
    await once(agent, 'close')
  })

  test('holds a bounded amount; beyond, the sender has to', async () => {
    const { line, agent, relay } = await connected()
    line.mode = 'silent'
    // More than the line and the system keep.
    const bytes = 64 * 1024 * 1024
    agent.write(Buffer.alloc(bytes))
    await expect.poll(() => line.held.bytes).toBeGreaterThan(HELD_BYTES_MAX)
    expect(line.held.bytes).toBeLessThanOrEqual(HELD_BYTES_MAX + READ_BYTES_MAX)
    line.mode = 'normal'
    let arrived = 0
    relay.on('data', (chunk: Buffer) => {
      arrived += chunk.length
    })
    await expect.poll(() => arrived, { timeout: 20_000 }).toBe(bytes)
    expect(line.held).toEqual({ things: 0, bytes: 0 })
  })

  test('ends connections while there is no relay', async () => {
    const { line, connectAgent } = await started()
    line.relayPort = undefined
    await once(await connectAgent(), 'close')
  })

  test('ends connections to a relay that does not listen', async () => {
    const { line, server, connectAgent } = await started()
    server.close()
    await once(server, 'close')
    expect(line.relayPort).toBeDefined()
    await once(await connectAgent(), 'close')
  })
})

/** A line to a server that stands for a relay. */
async function started() {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted: Socket[] = []
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    accepted.push(socket)
  })
  const line = await Line.open(0)
  line.relayPort = (server.address() as AddressInfo).port
  cleanups.push(() => server.close())
  cleanups.push(() => {
    for (const socket of accepted) socket.destroy()
  })
  cleanups.push(() => line.close())
  return {
    line,
    server,
    /** The relay's end of the first connection. */
    relays: async () => {
      await expect.poll(() => accepted.length).toBe(1)
      return accepted[0]!
    },
    connectAgent: async () => {
      const agent = connect({ port: line.port, host: '127.0.0.1' })
      agent.on('error', () => {})
      cleanups.push(() => agent.destroy())
      agent.resume()
      await once(agent, 'connect')
      return agent
    },
  }
}

async function connected() {
  const { line, relays, connectAgent } = await started()
  const agent = await connectAgent()
  return { line, agent, relay: await relays() }
}

async function heard(socket: Socket): Promise<string> {
  const [chunk] = await once(socket, 'data')
  return String(chunk)
}
