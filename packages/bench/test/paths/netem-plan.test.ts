import type { LineOptions } from '@skein/simulator'
import { describe, expect, test } from 'vitest'
import { addressOf, holeCommand, setUpCommands } from '../../src/paths/netem/plan.js'

const LINE: LineOptions = { delayMs: 25, jitter: 0.3, rate: 1_000, burstEveryMs: 0, burstMs: 0 }
const PLACE = { room: 0, line: 0 }

describe('what tc is told', () => {
  test('each direction of a line has a netem of its own, and everything else none', () => {
    expect(setUpCommands([{ place: PLACE, options: LINE }])).toEqual([
      'qdisc add dev lo root handle 1: htb default 1',
      'class add dev lo parent 1: classid 1:1 htb rate 10gbit quantum 60000',
      'class add dev lo parent 1: classid 1:100 htb rate 10gbit quantum 60000',
      'qdisc add dev lo parent 1:100 handle 100: netem limit 10000 delay 25ms 7.5ms rate 8000kbit',
      'filter add dev lo parent 1: protocol ip prio 1 u32 match ip src 127.1.1.1/32 flowid 1:100',
      'class add dev lo parent 1: classid 1:101 htb rate 10gbit quantum 60000',
      'qdisc add dev lo parent 1:101 handle 101: netem limit 10000 delay 25ms 7.5ms rate 8000kbit',
      'filter add dev lo parent 1: protocol ip prio 1 u32 match ip dst 127.1.1.1/32 flowid 1:101',
    ])
  })

  test('neither jitter nor rate is said where there is none', () => {
    const commands = setUpCommands([
      { place: PLACE, options: { ...LINE, jitter: 0, rate: Number.POSITIVE_INFINITY } },
    ])
    expect(commands[3]).toBe('qdisc add dev lo parent 1:100 handle 100: netem limit 10000 delay 25ms')
  })

  test('no two lines share an address, a class or a qdisc', () => {
    const places = Array.from({ length: 250 }, (_, room) => [0, 1, 2].map((line) => ({ room, line }))).flat()
    expect(new Set(places.map(addressOf)).size).toBe(places.length)
    const commands = setUpCommands(places.map((place) => ({ place, options: LINE })))
    const handles = commands.flatMap((command) => command.match(/handle (\w+):/)?.[1] ?? [])
    expect(new Set(handles).size).toBe(1 + 2 * places.length)
    expect(handles.every((handle) => Number.parseInt(handle, 16) <= 0xffff)).toBe(true)
    expect(() => addressOf({ room: 250, line: 0 })).toThrow(RangeError)
  })

  test('a hole loses everything that way, and leaves the rest of the line as it is', () => {
    const line = 'netem limit 10000 delay 25ms 7.5ms rate 8000kbit'
    const place = { room: 1, line: 2 }
    expect(holeCommand(place, 'down', LINE, true)).toBe(
      `qdisc change dev lo parent 1:125 handle 125: ${line} loss 100%`,
    )
    expect(holeCommand(place, 'down', LINE, false)).toBe(
      `qdisc change dev lo parent 1:125 handle 125: ${line} loss 0%`,
    )
  })
})
