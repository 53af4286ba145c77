import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { encodeHelloFrame } from '../src/cluster/frame.js'
import { CLUSTER_LIMITS } from '../src/cluster/limits.js'
import { TestCluster, write } from './cluster-helpers.js'
import { RawClient, relayForTest, temporaryDirectory, until } from './helpers.js'

const HELLO = { store: 's9', listed: ['r9'], founding: undefined, cluster: undefined, addresses: {} }

describe('links', () => {
  test('K9 what is not a frame ends its link, and nothing else', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    const url = `${cluster.urls.r1}/v1/cluster`
    for (const bytes of [
      'nonsense',
      Buffer.from('0102', 'hex'),
      Buffer.from('01020c02', 'hex'),
      Buffer.alloc(0),
    ]) {
      const client = await new RawClient(url).opened()
      client.socket.send(bytes)
      expect(await client.closedWith()).toBe(4400)
    }
    const large = await new RawClient(url).opened()
    large.socket.send(Buffer.alloc(CLUSTER_LIMITS.frameBytesMax + 1))
    expect(await large.closedWith()).toBe(1009)
    expect(await write(cluster.relay('r1'), 'home/k', 'on')).toMatchObject({ kind: 'done' })
  })

  test('K7 a stranger, and one under the name of a member, is refused and told why', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    for (const id of ['r9', 'r2', 'r1']) {
      const client = await new RawClient(`${cluster.urls.r1}/v1/cluster`).opened()
      client.socket.send(encodeHelloFrame({ ...HELLO, id }))
      expect(await client.closedWith()).toBe(4410)
      expect(client.closed!.reason).toContain(id)
    }
  })

  test('K9 a page is no member', async () => {
    const relay = await relayForTest()
    const client = new RawClient(`${relay.url}/v1/cluster`, 'http://localhost:5173')
    expect(await client.closedWith()).toBe(4403)
  })

  test('K9 those who do not say who they are cannot take all links', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    const url = `${cluster.urls.r1}/v1/cluster`
    const strangers = Array.from({ length: CLUSTER_LIMITS.strangersMax + 4 }, () => new RawClient(url))
    await until('some are refused', () => strangers.some(({ closed }) => closed?.code === 1013))
    expect(await write(cluster.relay('r1'), 'home/k', 'on')).toMatchObject({ kind: 'done' })
    await until('the others are ended', () => strangers.every(({ closed }) => closed !== undefined))
  })

  test('K10 there is one link between two members, whoever connected, and it comes back', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    const linked = (id: string) => [...cluster.relay(id).cluster.connected].sort().join()
    await until('all are linked', () => linked('r1') === 'r2,r3' && linked('r2') === 'r1,r3')
    await cluster.stop('r2')
    await until('it is noticed', () => linked('r1') === 'r3')
    await cluster.startMember('r2')
    await until('it is linked again', () => linked('r1') === 'r2,r3' && linked('r2') === 'r1,r3')
  })

  test('K9 a space cannot be reached under the path of the cluster', async () => {
    const relay = await relayForTest()
    const socket = new WebSocket(`${relay.url}/v1/cluster?skein=1`)
    await new Promise((resolve) => socket.once('open', resolve))
    expect(relay.roomCount).toBe(0)
    socket.terminate()
  })
})
