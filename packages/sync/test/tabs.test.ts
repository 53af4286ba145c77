import { encodeFrame } from '@skein/protocol'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { documentReplica, TAB_GONE_MS, type TabEffects, type TabMessage, Tabs } from '../src/index.js'
import { updateOf } from './helpers.js'

/** Tabs on one channel: what one posts the others receive, until nobody has anything to say. */
class Device {
  readonly tabs = new Map<string, { tab: Tabs; doc: Y.Doc; posted: TabMessage[]; confirmed: string[] }>()

  add(id: string) {
    const doc = new Y.Doc()
    const entry = {
      tab: new Tabs(id, documentReplica(doc)),
      doc,
      posted: [] as TabMessage[],
      confirmed: [] as string[],
    }
    this.tabs.set(id, entry)
    this.run(id, entry.tab.opened())
    return entry
  }

  run(id: string, effects: TabEffects): void {
    const me = this.tabs.get(id)!
    for (const { update } of effects.apply) Y.applyUpdate(me.doc, update, 'tab')
    if (effects.confirmed !== undefined) me.confirmed.push(effects.confirmed)
    for (const message of effects.post) {
      me.posted.push(message)
      for (const [other, { tab }] of this.tabs) if (other !== id) this.run(other, tab.receive(0, message))
    }
  }

  edit(id: string, key: string): void {
    const { doc, tab } = this.tabs.get(id)!
    const before = Y.encodeStateVector(doc)
    doc.getMap('state').set(key, id)
    this.run(id, tab.edit(Y.encodeStateAsUpdate(doc, before)))
  }

  state(id: string): unknown {
    return this.tabs.get(id)!.doc.getMap('state').toJSON()
  }
}

const framesOf = (messages: TabMessage[]) => messages.filter(({ kind }) => kind === 'frame')

describe('tabs', () => {
  test('T1 tabs that find each other exchange what they have, both ways', () => {
    const device = new Device()
    device.add('a')
    device.edit('a', 'x')
    const b = device.add('b')
    expect(device.state('b')).toEqual({ x: 'a' })
    expect(b.tab.count).toBe(1)
    const c = { tab: new Tabs('c', documentReplica(new Y.Doc())), doc: new Y.Doc() }
    c.doc.getMap('state').set('own', 1)
    const tab = new Tabs('c', documentReplica(c.doc))
    device.tabs.set('c', { tab, doc: c.doc, posted: [], confirmed: [] })
    device.run('c', tab.opened())
    expect(device.state('a')).toEqual({ x: 'a', own: 1 })
    expect(device.state('c')).toEqual({ x: 'a', own: 1 })
  })

  test('T2 an edit goes to all others, and to nobody where there is none', () => {
    const device = new Device()
    const a = device.add('a')
    a.posted.length = 0
    device.edit('a', 'alone')
    expect(a.posted).toEqual([])
    device.add('b')
    device.add('c')
    device.edit('a', 'shared')
    expect(device.state('b')).toEqual({ alone: 'a', shared: 'a' })
    expect(device.state('c')).toEqual({ alone: 'a', shared: 'a' })
  })

  test('T3 what comes from the relay is handed on only while another tab has none', () => {
    const device = new Device()
    const a = device.add('a')
    const b = device.add('b')
    device.run('a', a.tab.setServed(true))
    expect(a.tab.fromRelay(updateOf('r')).post).toHaveLength(1)
    expect(b.tab.servedByAnother).toBe(true)
    device.run('b', b.tab.setServed(true))
    expect(a.tab.fromRelay(updateOf('r')).post).toEqual([])
  })

  test('T4 a tab that loses its relay asks for what it lacks', () => {
    const device = new Device()
    const a = device.add('a')
    const b = device.add('b')
    device.run('a', a.tab.setServed(true))
    device.run('b', b.tab.setServed(true))
    Y.applyUpdate(a.doc, updateOf('missed'))
    device.run('b', b.tab.setServed(false))
    expect(device.state('b')).toEqual({ missed: 1 })
  })

  test('T4 a tab without a relay gets what another learned before it was live', () => {
    const device = new Device()
    const a = device.add('a')
    device.add('b')
    Y.applyUpdate(a.doc, updateOf('first exchange'), 'relay')
    expect(device.state('b')).toEqual({})
    device.run('a', a.tab.setServed(true))
    expect(device.state('b')).toEqual({ 'first exchange': 1 })
  })

  test.each([true, false])('T5 an update is applied, and is passed on unless relayed (%s)', (relayed) => {
    const tab = new Tabs('a', documentReplica(new Y.Doc()))
    const update = updateOf('x')
    const effects = tab.receive(0, {
      kind: 'frame',
      from: 'b',
      relayed,
      frame: encodeFrame({ type: 'update', update }),
    })
    expect(effects.apply).toEqual([{ update, relayed, forUnserved: true }])
  })

  test('T6 a confirmation reaches the tabs that have no relay', () => {
    const device = new Device()
    const a = device.add('a')
    const b = device.add('b')
    device.run('a', a.tab.setServed(true))
    device.run('a', a.tab.confirmed('digest'))
    expect(b.confirmed).toEqual(['digest'])
    device.run('b', b.tab.setServed(true))
    device.run('b', b.tab.setServed(false))
    expect(a.posted.at(-1)).toMatchObject({ kind: 'frame' }) // b asked; a has answered
    device.run('b', b.tab.setServed(true))
    device.run('a', a.tab.confirmed('later'))
    expect(b.confirmed).toEqual(['digest'])
  })

  test.each([
    ['nothing', undefined],
    ['a string', 'hello'],
    ['another kind', { kind: 'dance', from: 'b' }],
    ['no sender', { kind: 'bye' }],
    ['a wrong type', { kind: 'frame', from: 'b', relayed: false, frame: [0, 0] }],
    ['a broken frame', { kind: 'frame', from: 'b', relayed: false, frame: Uint8Array.of(0) }],
    ['a broken update', { kind: 'frame', from: 'b', relayed: false, frame: Uint8Array.of(0, 2, 1, 9) }],
    [
      'a broken state vector',
      { kind: 'frame', from: 'b', relayed: false, frame: Uint8Array.of(0, 0, 1, 255) },
    ],
    ['a stranger message', { kind: 'frame', from: 'b', relayed: false, frame: Uint8Array.of(99) }],
  ])('T7 skips %s', (_what, data) => {
    const effects = new Tabs('a', documentReplica(new Y.Doc())).receive(0, data)
    expect(effects).toEqual({ post: [], apply: [], presence: [] })
  })

  test('T7 a tab that says bye, or nothing for long, is gone', () => {
    const device = new Device()
    const a = device.add('a')
    const b = device.add('b')
    device.run('b', b.tab.leaving())
    expect(a.tab.count).toBe(0)
    a.tab.receive(1_000, { kind: 'hello', from: 'z', served: false, answer: false })
    a.tab.timeout(1_000 + TAB_GONE_MS)
    expect(a.tab.count).toBe(1)
    a.tab.timeout(1_001 + TAB_GONE_MS)
    expect(a.tab.count).toBe(0)
  })

  test('T7 answers do not echo for ever', () => {
    const device = new Device()
    for (const id of ['a', 'b', 'c', 'd']) device.add(id)
    const posted = [...device.tabs.values()].flatMap(({ posted: p }) => p)
    expect(posted.length).toBeLessThan(60)
    expect(framesOf(posted).length).toBeGreaterThan(0)
  })
})
