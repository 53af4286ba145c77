import type { PathDescription } from '@skein/sync'
import { describe, expect, test } from 'vitest'
import { SkeinError } from '../../src/errors.js'
import type { PathStatus, PathSwitch, Space, Status } from '../../src/node.js'
import { pathStatus } from '../../src/path-status.js'
import type { RelayLink } from '../../src/relay-link.js'
import { joinForTest, until } from '../helpers.js'
import { Cluster } from './cluster.js'
import { Line } from './line.js'

const pathOf = (space: Space, role: PathStatus['role']) =>
  space.status.paths.find((path) => path.role === role)!

const isMeasured = ({ roundTripMs, confirms }: PathStatus) =>
  roundTripMs !== undefined && confirms === 'quorum'

/** An agent with an active path and one that stands by, both measured, to two relays of one cluster. */
async function withTwoPaths(urls: readonly string[]): Promise<Space> {
  const space = await joinForTest('home', { relays: urls })
  await until('two paths are measured', () => space.status.paths.every(isMeasured))
  return space
}

describe('paths to two relays', () => {
  test('A29 every field of the one in use, and of the one that stands by', async () => {
    const cluster = await Cluster.start(2)
    const space = await joinForTest('home', { relays: cluster.urls })
    const switches: PathSwitch[] = []
    space.onStatus(({ lastSwitch }) => lastSwitch && switches.push(lastSwitch))
    let status: Status | undefined
    await until('both are measured, and at rest', () => {
      if (space.status.paths.every(isMeasured)) status = space.status
      return status?.paths.every(({ state, backlog }) => state === 'good' && backlog === 0) === true
    })
    const { paths, path, lastSwitch } = status!
    expect(paths).toHaveLength(2)
    for (const [index, shown] of paths.entries()) {
      expect(shown).toEqual({
        kind: 'relay',
        url: expect.stringContaining(`${cluster.urls[index]}/home`),
        role: shown === path ? 'active' : 'standby',
        state: 'good',
        roundTripMs: expect.any(Number),
        reliability: expect.any(Number),
        // Neither was ever busy.
        goodput: undefined,
        backlog: 0,
        confirms: 'quorum',
        retryAt: undefined,
        error: undefined,
      })
      expect(shown.roundTripMs).toBeGreaterThan(0)
      expect(shown.reliability).toBeGreaterThan(0)
      expect(shown.reliability).toBeLessThanOrEqual(1)
    }
    expect(switches[0]).toMatchObject({ from: undefined, reason: 'first' })
    expect(lastSwitch).toMatchObject({ to: path?.url, at: expect.any(Number) })
  })

  test('A29 one that has closed tells why, and when it is tried again; lastSwitch tells what took over', async () => {
    const cluster = await Cluster.start(2)
    const space = await withTwoPaths(cluster.urls)
    const before = pathOf(space, 'active').url
    const other = pathOf(space, 'standby').url
    const stoppedAt = Date.now()
    await cluster.stop(cluster.indexOf(before))
    let waiting: PathStatus | undefined
    await until('it waits for the next attempt', () => {
      waiting = space.status.paths.find(({ url, state }) => url === before && state === 'waiting')
      return waiting !== undefined
    })
    expect(waiting).toEqual({
      kind: 'unknown',
      url: before,
      role: 'none',
      state: 'waiting',
      roundTripMs: undefined,
      reliability: 1,
      goodput: undefined,
      backlog: 0,
      confirms: 'nothing',
      retryAt: expect.any(Number),
      error: expect.objectContaining({ code: 'unreachable' }),
    })
    expect(waiting!.retryAt).toBeGreaterThan(stoppedAt)
    expect(space.status.lastSwitch).toMatchObject({ from: before, to: other, reason: 'closed' })
    expect(space.status.lastSwitch!.at).toBeGreaterThanOrEqual(stoppedAt)
  })

  test('A29 one that misses answers becomes less reliable, and shows what is on its way', async () => {
    const cluster = await Cluster.start(2)
    const lines = await Promise.all(cluster.urls.map((url) => Line.to(url)))
    const space = await withTwoPaths(lines.map(({ url }) => url))
    const { url } = pathOf(space, 'active')
    lines.find((line) => url.startsWith(line.url))!.silence('there')
    space.set('on its way', 'x'.repeat(10_000))
    const path = () => space.status.paths.find((shown) => shown.url === url)!
    expect(path().backlog).toBeGreaterThanOrEqual(10_000)
    const { reliability } = path()
    await until('it is silent', () => path().state === 'silent')
    expect(path().reliability).toBeLessThan(reliability)
  })
})

test('A29 numbers are told as far as they mean something, and the socket counts as backlog', () => {
  const divergence = new SkeinError('diverged', 'it holds something else')
  const link = {
    url: 'ws://a.example/home',
    state: 'open',
    bufferedAmount: 70_000,
    divergence,
  } as RelayLink
  const description = {
    isActive: true,
    hasDiverged: false,
    session: { isGreeted: true, kind: 'relay', ready: true, confirms: ['relay'] },
    report: { state: 'good', roundTripMs: 12.345, reliability: 0.98765, goodput: 123_456.7, backlog: 500 },
  } as unknown as PathDescription
  expect(pathStatus(link, description)).toMatchObject({
    roundTripMs: 12.3,
    reliability: 0.99,
    goodput: 123_457,
    backlog: 70_000,
    confirms: 'relay',
  })
  expect(pathStatus(link, { ...description, hasDiverged: true }).error).toBe(divergence)
})
