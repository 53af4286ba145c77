import type { PathStatus, PathSwitch, Space } from '@skein/agent'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { pathHistoryOf } from '../src/app/paths/history.js'
import { type LabState, labRelayAt } from '../src/model/lab.js'
import { HISTORY_MS, type PathHistory, sparkline, topOf, withSample } from '../src/model/path-history.js'
import { PathNames } from '../src/model/path-names.js'
import {
  agoInWords,
  bytesInWords,
  roleInWords,
  shareInWords,
  stateInWords,
  supportInWords,
  switchInWords,
} from '../src/model/path-words.js'

const LAB: LabState = {
  relays: [
    { id: 'r1', port: 4001, process: 'running', line: 'normal' },
    { id: 'r2', port: 4002, process: 'running', line: 'slow' },
  ],
}

describe('names of paths', () => {
  const at = (url: string) => ({ kind: 'relay', url }) as const
  const LOCAL = ['ws://127.0.0.1:4001', 'ws://127.0.0.1:4002']

  test('a relay of the lab goes by its id, under every name of this machine', () => {
    const names = new PathNames(LOCAL, LAB)
    expect(names.of(at('ws://127.0.0.1:4001/home?skein=1'))).toBe('r1')
    expect(names.of(at('ws://localhost:4002/home'))).toBe('r2')
    expect(names.of(at('ws://elsewhere.example:4002/home'))).not.toBe('r2')
    expect(labRelayAt(LAB, 'no url')).toBeUndefined()
  })

  test('others go by what tells them apart', () => {
    const name = (relays: string[]) => new PathNames(relays, undefined).of(at(`${relays[0]}/home`))
    expect(name(['ws://127.0.0.1:4001'])).toBe('relay')
    expect(name(LOCAL)).toBe('relay :4001')
    expect(name(['wss://a.example', 'wss://b.example'])).toBe('relay a.example')
    expect(name(['wss://a.example:1', 'wss://a.example:2', 'wss://b.example'])).toBe('relay a.example:1')
  })

  test('a plain server is called one, and tabs have no address', () => {
    const names = new PathNames(LOCAL, undefined)
    expect(names.of({ kind: 'server', url: 'ws://127.0.0.1:4001/home' })).toBe('server :4001')
    expect(names.of({ kind: 'tab', url: '' })).toBe('other tabs')
    expect(names.ofUrl('')).toBe('other tabs')
  })
})

describe('words for paths', () => {
  test('what a path is there for', () => {
    expect(roleInWords(path({ role: 'active' }))).toBe('in use')
    expect(roleInWords(path({ role: 'standby' }))).toBe('kept warm')
    expect(roleInWords(path({ role: 'standby', state: 'silent' }))).toBe('kept open')
    expect(roleInWords(path({ role: 'none', state: 'waiting' }))).toBe('cut')
    expect(roleInWords(path({ role: 'none', state: 'idle' }))).toBe('not needed')
  })

  test('what it does just now', () => {
    expect(stateInWords(path({ state: 'waiting', retryAt: 3_450 }), 2_000)).toBe('Next attempt in 1.4 s')
    expect(stateInWords(path({ state: 'waiting', retryAt: 1_000 }), 2_000)).toBe('Next attempt in 0.0 s')
    expect(stateInWords(path({ state: 'suspect', role: 'active' }), 0)).toMatch(/over another path, too$/)
    expect(stateInWords(path({ state: 'suspect', role: 'standby' }), 0)).toBe('Late with an answer')
  })

  test('how many there are to lean on', () => {
    const active = path({ role: 'active' })
    expect(supportInWords([active, path({ role: 'standby' })]).words).toBe('one in use, one warm')
    expect(supportInWords([active, path({ role: 'standby', state: 'silent' })]).words).toBe(
      'one in use, none warm',
    )
    expect(supportInWords([path({ role: 'none', state: 'waiting' })]).tone).toBe('refuse')
  })

  test.each<[Partial<PathSwitch>, string]>([
    [{ from: undefined, to: 'r1', reason: 'first' }, 'Connected over r1'],
    [{ from: 'r1', to: 'r2', reason: 'closed' }, 'r1 closed, r2 took over'],
    [{ from: 'r1', to: 'r2', reason: 'silent' }, 'r1 fell silent, r2 took over'],
    [{ from: 'r1', to: 'r2', reason: 'backlog' }, 'r1 was overloaded, r2 took over'],
    [{ from: 'r1', to: 'r2', reason: 'better' }, 'r2 was better than r1, and took over'],
    [{ from: 'r1', to: undefined, reason: 'closed' }, 'r1 closed, and no other path is open'],
    [{ from: undefined, to: undefined, reason: 'closed' }, 'No path is open'],
  ])('the switch %o', (change, words) => {
    expect(switchInWords({ at: 0, ...change } as PathSwitch, (url) => url)).toBe(words)
  })

  test('how long ago', () => {
    expect([0, 1_999, 2_000, 59_999, 60_000, 3_600_000].map(agoInWords)).toEqual([
      'just now',
      'just now',
      '2 s ago',
      '59 s ago',
      '1 min ago',
      '1 h ago',
    ])
  })

  test('sizes and shares', () => {
    expect([0, 999, 1_000, 9_949, 12_345, 2_500_000].map(bytesInWords)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '9.9 kB',
      '12 kB',
      '2.5 MB',
    ])
    expect([1, 0.999, 0.5, 0].map(shareInWords)).toEqual(['100 %', '99 %', '50 %', '0 %'])
  })
})

describe('history of round trips', () => {
  test('keeps a minute, of the paths that there are', () => {
    let history: PathHistory = new Map()
    for (let nowMs = 0; nowMs <= 3 * HISTORY_MS; nowMs += 1_000) {
      history = withSample(history, [path({ url: 'a' }), path({ url: '', kind: 'tab' })], nowMs)
    }
    expect([...history.keys()]).toEqual(['a'])
    expect(history.get('a')).toHaveLength(HISTORY_MS / 1_000)
    expect(withSample(history, [path({ url: 'b' })], 0).has('a')).toBe(false)
  })

  test('has no round trip of a path that is not open', () => {
    const history = withSample(new Map(), [path({ url: 'a', state: 'waiting', roundTripMs: 5 })], 0)
    expect(history.get('a')).toEqual([{ atMs: 0, roundTripMs: undefined }])
  })

  test('is taken while somebody watches, with a gap where nobody did', () => {
    vi.useFakeTimers({ now: 0 })
    onTestFinished(() => void vi.useRealTimers())
    const history = pathHistoryOf({ status: { paths: [path({ url: 'a' })] } } as unknown as Space)
    const roundTrips = () =>
      history
        .snapshot()
        .get('a')
        ?.map(({ roundTripMs }) => roundTripMs)
    expect(vi.getTimerCount()).toBe(0)
    const ends = [history.subscribe(() => {}), history.subscribe(() => {})]
    vi.advanceTimersByTime(1_000)
    expect(roundTrips()).toEqual([3, 3])
    for (const end of [...ends, ...ends]) end()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(5_000)
    history.subscribe(() => {})()
    expect(roundTrips()).toEqual([3, 3, undefined, 3])
  })

  test('is drawn to one scale, the newest at the right, with gaps', () => {
    const samples = [10, 20, undefined, 20].map((roundTripMs, i) => ({ atMs: i * 20_000, roundTripMs }))
    expect(topOf(new Map([['a', samples]]), 8)).toBe(20)
    expect(topOf(new Map([['a', samples]]), 50)).toBe(50)
    const d = sparkline(samples, { nowMs: 60_000, topMs: 20, width: 60, height: 10 })
    expect(d).toBe('M0 5h0L20 0M60 0h0')
  })
})

function path(of: Partial<PathStatus>): PathStatus {
  return {
    kind: 'relay',
    url: 'ws://127.0.0.1:4001/home',
    role: 'active',
    state: 'good',
    roundTripMs: 3,
    reliability: 1,
    goodput: undefined,
    backlog: 0,
    confirms: 'relay',
    retryAt: undefined,
    error: undefined,
    ...of,
  }
}
