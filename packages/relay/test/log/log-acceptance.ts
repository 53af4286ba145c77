import { describe, expect, onTestFinished, test } from 'vitest'
import { collect, type Log, type LoggedUpdate } from '../../src/log/log.js'

/**
 * What every log does, whatever it is made of.
 * @param open makes an empty log; the test closes it
 */
export function describeLog(name: string, open: () => Promise<Log>): void {
  const opened = async () => {
    const log = await open()
    onTestFinished(() => log.close())
    return log
  }

  describe(name, () => {
    test('a room nobody wrote to is empty', async () => {
      expect(await collect((await opened()).load('nobody'))).toEqual([])
    })

    test('rooms that were written to are listed, page by page', async () => {
      const log = await opened()
      const names = ['b', 'a', 'longer', 'ä', 'a/b', 'a'.repeat(128), '\u{10ffff}', '\uffff']
      for (const name of names) {
        await log.append(name, [at(0, [1]), at(2 ** 50, [2])], { epoch: 'e' })
      }
      expect(await log.rooms('', 0)).toEqual([])
      expect([...(await log.rooms('', 100))].sort()).toEqual([...names].sort())
      const listed: string[] = []
      for (;;) {
        const page = await log.rooms(listed.at(-1) ?? '', 3)
        listed.push(...page)
        if (page.length < 3) break
      }
      expect(listed).toEqual(await log.rooms('', 100))
    })

    test('updates come back in order, gaps and empty updates included', async () => {
      const log = await opened()
      await log.append('room', [at(0, []), at(1, [1, 2])])
      await log.append('room', [at(7, [3]), at(2 ** 40, [4])])
      expect(await collect(log.load('room'))).toEqual([
        at(0, []),
        at(1, [1, 2]),
        at(7, [3]),
        at(2 ** 40, [4]),
      ])
    })

    test('positions are ordered as numbers, not as text or bytes', async () => {
      const log = await opened()
      const positions = [2, 10, 255, 256, 65_535, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER]
      await log.append(
        'room',
        positions.map((position) => at(position, [1])),
      )
      expect((await collect(log.load('room'))).map(({ position }) => position)).toEqual(positions)
    })

    test('appends of one tick are stored in the order of their calls', async () => {
      const log = await opened()
      await Promise.all([1, 2, 3, 4, 5].map((position) => log.append('room', [at(position, [position])])))
      expect((await collect(log.load('room'))).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5])
    })

    test('rooms whose names are prefixes of each other, long or in other scripts are kept apart', async () => {
      const log = await opened()
      const rooms = [
        'a',
        'a/b',
        'ab',
        'b',
        '\u00e4',
        '\u20ac'.repeat(128),
        '\u{1f9f6}'.repeat(64),
        'a'.repeat(128),
      ]
      await Promise.all(rooms.map((room, index) => log.append(room, [at(1, [index])])))
      for (const [index, room] of rooms.entries())
        expect(await collect(log.load(room))).toEqual([at(1, [index])])
      expect(await collect(log.load('a/'))).toEqual([])
    })

    test('an update of 20 MB comes back', async () => {
      const log = await opened()
      const update = new Uint8Array(20_000_000).map((_, index) => index % 251)
      await Promise.all([log.append('large', [{ position: 1, update }]), log.append('small', [at(1, [1])])])
      const [loaded] = await collect(log.load('large'))
      expect(Buffer.compare(loaded!.update, update)).toBe(0)
      expect(await collect(log.load('small'))).toEqual([at(1, [1])])
    })

    test('the caller may reuse what it appended and write into what it loaded', async () => {
      const log = await opened()
      const update = new Uint8Array([1, 2, 3])
      const appended = log.append('room', [{ position: 1, update }])
      update.fill(9)
      await appended
      const [loaded] = await collect(log.load('room'))
      loaded?.update.fill(8)
      expect(await collect(log.load('room'))).toEqual([at(1, [1, 2, 3])])
    })

    test.each([
      ['below the last one', [at(4, [1])]],
      ['equal to the last one', [at(5, [1])]],
      ['falling within the call', [at(7, [1]), at(6, [1])]],
      ['negative', [at(-1, [1])]],
      ['not whole', [at(6.5, [1])]],
    ])('an append with a position %s is a RangeError and writes nothing', async (_, updates) => {
      const log = await opened()
      await log.append('room', [at(5, [5])])
      await expect(log.append('room', updates)).rejects.toThrow(RangeError)
      expect(await collect(log.load('room'))).toEqual([at(5, [5])])
    })

    test('an append is checked against appends that are still under way', async () => {
      const log = await opened()
      const first = log.append('room', [at(5, [5])])
      await expect(log.append('room', [at(5, [6])])).rejects.toThrow(RangeError)
      await first
      expect(await collect(log.load('room'))).toEqual([at(5, [5])])
    })

    test('replace puts a snapshot in the place of all up to a position, and leaves the rest', async () => {
      const log = await opened()
      await log.append('room', [at(1, [1]), at(2, [2]), at(4, [4]), at(5, [5])])
      await log.append('room2', [at(1, [1])])
      await log.replace('room', 0, 4, new Uint8Array([42]))
      expect(await collect(log.load('room'))).toEqual([at(4, [42]), at(5, [5])])
      expect(await collect(log.load('room2'))).toEqual([at(1, [1])])
    })

    test('replace at a position that is a gap, at 0, of an empty room, and past the end', async () => {
      const log = await opened()
      await log.append('gap', [at(1, [1]), at(5, [5])])
      await log.replace('gap', 0, 3, new Uint8Array([3]))
      expect(await collect(log.load('gap'))).toEqual([at(3, [3]), at(5, [5])])
      await log.append('zero', [at(0, [0]), at(1, [1])])
      await log.replace('zero', 0, 0, new Uint8Array([9]))
      expect(await collect(log.load('zero'))).toEqual([at(0, [9]), at(1, [1])])
      await log.replace('empty', 0, 3, new Uint8Array([3]))
      await expect(log.append('empty', [at(3, [4])])).rejects.toThrow(RangeError)
      expect(await collect(log.load('empty'))).toEqual([at(3, [3])])
      await log.replace('gap', 0, 9, new Uint8Array([9]))
      expect(await collect(log.load('gap'))).toEqual([at(9, [9])])
    })

    test('append and replace of one tick take effect in the order of their calls', async () => {
      const log = await opened()
      await Promise.all([
        log.append('room', [at(1, [1]), at(2, [2])]),
        log.replace('room', 0, 4, new Uint8Array([40])),
        log.replace('room', 0, 6, new Uint8Array([60])),
        log.append('room', [at(7, [7])]),
        log.append('other', [at(1, [1])]),
      ])
      expect(await collect(log.load('room'))).toEqual([at(6, [60]), at(7, [7])])
      expect(await collect(log.load('other'))).toEqual([at(1, [1])])
    })

    test('replace of a range in the middle leaves what is before and behind', async () => {
      const log = await opened()
      await log.append('room', [at(1, [1]), at(2, [2]), at(3, [3]), at(4, [4]), at(5, [5])])
      await log.replace('room', 2, 4, new Uint8Array([24]))
      expect(await collect(log.load('room'))).toEqual([at(1, [1]), at(4, [24]), at(5, [5])])
      for (const [from, upTo] of [
        [-1, 1],
        [3, 2],
        [0.5, 2],
      ] as const) {
        await expect(log.replace('room', from, upTo, new Uint8Array())).rejects.toThrow(RangeError)
      }
    })

    test('a room is loaded from a position on', async () => {
      const log = await opened()
      await log.append('room', [at(1, [1]), at(3, [3]), at(5, [5])])
      expect(await collect(log.load('room', 2))).toEqual([at(3, [3]), at(5, [5])])
      expect(await collect(log.load('room', 3))).toEqual([at(3, [3]), at(5, [5])])
      expect(await collect(log.load('room', 6))).toEqual([])
    })

    test('a large room is loaded whole, and while it is others get their turn', async () => {
      const log = await opened()
      const update = new Uint8Array(300_000)
      for (let position = 1; position <= 20; position++)
        await log.append('room', [{ position, update }], { urgent: true })
      let turns = 0
      const turn = () => {
        turns++
        ticking = setImmediate(turn)
      }
      let ticking = setImmediate(turn)
      expect((await collect(log.load('room'))).map(({ position }) => position)).toHaveLength(20)
      clearImmediate(ticking)
      if (name !== 'memory log') expect(turns).toBeGreaterThan(3)
    })

    test('an epoch is stored with an update, and is no update', async () => {
      const log = await opened()
      expect(await log.epochOf('room')).toBe('')
      await log.append('room', [at(0, [0])], { epoch: 'e1' })
      await log.append('room', [at(1, [1])])
      await log.append('room2', [at(0, [2])])
      await log.replace('room', 0, 1, new Uint8Array([9]))
      expect(await log.epochOf('room')).toBe('e1')
      expect(await log.epochOf('room2')).toBe('')
      expect(await collect(log.load('room'))).toEqual([at(1, [9])])
      await expect(log.append('room', [at(1, [1])])).rejects.toThrow(RangeError)
    })

    test('close waits for what was called before, can be called twice, and ends everything after it', async () => {
      const log = await opened()
      const appended = log.append('room', [at(1, [1])])
      await Promise.all([log.close(), log.close()])
      await appended
      const closed = { name: 'RelayError', code: 'log-closed' }
      await expect(collect(log.load('room'))).rejects.toMatchObject(closed)
      await expect(log.epochOf('room')).rejects.toMatchObject(closed)
      await expect(log.append('room', [at(2, [2])])).rejects.toMatchObject(closed)
      await expect(log.replace('room', 0, 1, new Uint8Array())).rejects.toMatchObject(closed)
    })
  })
}

function at(position: number, bytes: number[]): LoggedUpdate {
  return { position, update: new Uint8Array(bytes) }
}
