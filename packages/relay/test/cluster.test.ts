import type { Entry } from '@skein/paxos'
import { describe, expect, test } from 'vitest'
import { read, TestCluster, write, writeOf } from './cluster-helpers.js'
import { relayForTest, temporaryDirectory, until } from './helpers.js'

describe('a cluster of three', () => {
  test('K1 forms, and decides what any member is asked for', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    expect(await write(cluster.relay('r1'), 'home/lock/front', 'locked')).toMatchObject({
      kind: 'done',
      version: 1,
    })
    expect(await write(cluster.relay('r2'), 'home/lock/front', 'open')).toMatchObject({
      kind: 'done',
      version: 2,
    })
    expect(await read(cluster.relay('r3'), 'home/lock/front')).toBe('open')
    const { epoch, members } = cluster.relay('r3').cluster
    expect({ epoch, ids: members.map(({ id }) => id) }).toEqual({ epoch: 1, ids: ['r1', 'r2', 'r3'] })
  })
})
