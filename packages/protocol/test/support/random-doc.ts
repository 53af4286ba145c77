import * as Y from 'yjs'
import type { Random } from './random.js'

/**
 * Lets a few replicas edit every kind of shared type, with updates exchanged late, partly or not at all.
 * Half of the histories keep deleted content (`gc: false`).
 */
export function randomHistory(random: Random, stepsMax = 30): History {
  const gc = random.oneIn(2)
  const docs = Array.from({ length: random.int(1, 3) }, () => newDoc(random, gc))
  const updates: Uint8Array[] = []
  for (const doc of docs) doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let steps = random.int(1, stepsMax); steps > 0; steps--) {
    const doc = random.pick(docs)
    if (random.oneIn(5)) exchange(random, doc, random.pick(docs), updates)
    else doc.transact(() => edits(random, doc))
  }
  return { docs, updates }
}

export interface History {
  readonly docs: readonly Y.Doc[]
  /** What the replicas' `update` events carried, in the order they happened. */
  readonly updates: readonly Uint8Array[]
}

/** Every form in which yjs writes a history: events, whole states, diffs, merges with gaps, pending states. */
export function updatesOf(random: Random, history: History): Uint8Array[] {
  const { docs, updates } = history
  const out = [...updates, ...docs.map((doc) => Y.encodeStateAsUpdate(doc))]
  const some = () => updates.filter(() => random.oneIn(2))
  for (let i = 0; i < 3 && updates.length > 0; i++) {
    const merged = Y.mergeUpdates(shuffled(random, [random.pick(updates), ...some()]))
    out.push(merged, Y.diffUpdate(merged, Y.encodeStateVector(random.pick(docs))))
    // A replica that lacks what these depend on keeps them pending and hands them on in its own state.
    const late = new Y.Doc()
    for (const update of shuffled(random, some())) Y.applyUpdate(late, update)
    out.push(Y.encodeStateAsUpdate(late), Y.encodeStateAsUpdate(late, Y.encodeStateVector(random.pick(docs))))
  }
  out.push(Y.encodeStateAsUpdate(random.pick(docs), Y.encodeStateVector(random.pick(docs))))
  return out
}

/** Brings all replicas to the same state. A remote edit may answer with a formatting clean-up, hence the loop. */
export function converge(docs: readonly Y.Doc[]): void {
  for (let changed = true; changed; ) {
    changed = false
    for (const from of docs) {
      for (const to of docs) {
        if (from === to) continue
        const stop = () => {
          changed = true
        }
        to.once('update', stop)
        Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)))
        to.off('update', stop)
      }
    }
  }
}

export function shuffled<T>(random: Random, values: readonly T[]): T[] {
  const out = [...values]
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.int(0, i)
    const swapped = out[i]!
    out[i] = out[j]!
    out[j] = swapped
  }
  return out
}

function newDoc(random: Random, gc: boolean): Y.Doc {
  const doc = new Y.Doc({ gc })
  // Small and large client ids, because their encodings differ in length.
  doc.clientID = random.oneIn(2) ? random.int(1, 1000) : random.int(0, 2 ** 32 - 1)
  return doc
}

function exchange(random: Random, from: Y.Doc, to: Y.Doc, updates: readonly Uint8Array[]): void {
  if (random.oneIn(2)) Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)))
  else if (updates.length > 0) Y.applyUpdate(to, random.pick(updates))
}

function edits(random: Random, doc: Y.Doc): void {
  for (let i = random.int(1, 6); i > 0; i--) edit(random, random.pick(liveTypes(doc)))
}

type SharedType = Y.Array<unknown> | Y.Map<unknown> | Y.Text | Y.XmlFragment

/** The root types and everything nested in them, so that edits go deep. */
function liveTypes(doc: Y.Doc): SharedType[] {
  const found: SharedType[] = []
  const visit = (value: unknown) => {
    if (!(value instanceof Y.AbstractType)) return
    found.push(value as SharedType)
    if (value instanceof Y.Map || value instanceof Y.XmlHook) for (const child of value.values()) visit(child)
    else if (value instanceof Y.Array || value instanceof Y.XmlFragment) value.toArray().forEach(visit)
  }
  visit(doc.getArray('array'))
  visit(doc.getMap('map'))
  visit(doc.getText('text'))
  visit(doc.getXmlFragment('xml'))
  visit(doc.getText('ключ-\u{1f511}'))
  return found
}

function edit(random: Random, type: SharedType): void {
  if (type instanceof Y.Text) editText(random, type)
  else if (type instanceof Y.XmlFragment) editXml(random, type)
  else if (type instanceof Y.Map) editMap(random, type)
  else editArray(random, type)
}

function editArray(random: Random, array: Y.Array<unknown>): void {
  const at = random.int(0, array.length)
  if (random.oneIn(3) && array.length > 0) {
    const from = random.int(0, array.length - 1)
    array.delete(from, random.int(1, array.length - from))
  } else {
    array.insert(
      at,
      // Y.Array takes undefined and bigint only inside another value.
      Array.from({ length: random.int(1, 3) }, () => {
        const content = randomContent(random)
        return content === undefined || typeof content === 'bigint' ? [content] : content
      }),
    )
  }
}

function editMap(random: Random, map: Y.Map<unknown>): void {
  const key = random.pick(['a', 'b', 'ä', '__proto__', '', '\u{1f511}'])
  if (random.oneIn(4)) map.delete(key)
  else map.set(key, randomContent(random))
}

function editText(random: Random, text: Y.Text): void {
  const length = text.length
  const at = random.int(0, length)
  switch (random.int(0, 6)) {
    case 0:
      text.insertEmbed(at, random.oneIn(3) ? new Y.Map() : { image: randomString(random), size: [1, null] })
      break
    case 1:
      text.format(at, random.int(0, length - at), { bold: random.pick([true, null, { weight: 700 }]) })
      break
    case 2:
      if (length > at) text.delete(at, random.int(1, length - at))
      break
    case 3:
      text.insert(at, randomString(random), { link: randomString(random) })
      break
    default:
      text.insert(at, randomString(random))
  }
}

function editXml(random: Random, xml: Y.XmlFragment): void {
  if (xml instanceof Y.XmlElement && random.oneIn(3)) {
    if (random.oneIn(3)) xml.removeAttribute('id')
    else xml.setAttribute(random.pick(['id', 'class']), randomString(random))
  } else if (random.oneIn(4) && xml.length > 0) {
    xml.delete(random.int(0, xml.length - 1), 1)
  } else {
    xml.insert(random.int(0, xml.length), [newXml(random)])
  }
}

function newXml(random: Random): Y.XmlElement | Y.XmlText {
  switch (random.int(0, 3)) {
    case 0:
      return new Y.XmlText(randomString(random))
    case 1:
      // An XmlHook may stand wherever an element may, although the types of yjs don't say so.
      return new Y.XmlHook('hook') as unknown as Y.XmlElement
    default:
      return new Y.XmlElement(random.pick(['p', 'div', 'UNDEFINED']))
  }
}

function randomContent(random: Random): unknown {
  switch (random.int(0, 9)) {
    case 0:
      return new Y.Array()
    case 1:
      return new Y.Map()
    case 2:
      return new Y.Text(randomString(random))
    case 3:
      return newXml(random)
    case 4:
      return new Y.XmlFragment()
    case 5:
      return new Y.Doc({
        guid: `sub-${random.int(0, 99)}`,
        autoLoad: random.oneIn(2),
        gc: random.oneIn(2),
        meta: randomAny(random, 0),
      })
    case 6:
      return random.bytes(random.int(0, 5))
    default:
      return randomAny(random, 0)
  }
}

/** A value of lib0's `any` encoding; every type of it comes up. */
export function randomAny(random: Random, depth: number): unknown {
  switch (random.int(0, depth < 4 ? 12 : 9)) {
    case 0:
      return undefined
    case 1:
      return null
    case 2:
      return random.oneIn(2)
    case 3:
      return random.pick([
        0,
        -0,
        1,
        -1,
        63,
        64,
        -64,
        127,
        128,
        2 ** 31 - 1,
        -(2 ** 31),
        Number.MAX_SAFE_INTEGER,
      ])
    case 4:
      return random.pick([0.5, -1.25, 1e300, 0.1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])
    case 5:
      return BigInt(random.int(-(2 ** 40), 2 ** 40)) * 1_000n
    case 6:
      return random.int(-1_000_000, 1_000_000)
    case 7:
      return random.bytes(random.int(0, 5))
    case 8:
    case 9:
      return randomString(random)
    case 10:
      return Array.from({ length: random.int(0, 3) }, () => randomAny(random, depth + 1))
    default:
      return Object.fromEntries(
        Array.from({ length: random.int(0, 3) }, () => [randomString(random), randomAny(random, depth + 1)]),
      )
  }
}

/** Strings of every UTF-8 length, with surrogate pairs and, now and then, half of one. */
export function randomString(random: Random): string {
  const units = ['a', 'bc', ' ', '\n', '\u0000', 'é', '€', '\ufeff', '\uffff', '\u{1f9f6}', '\u{10ffff}']
  const halves = ['\ud83e', '\uddf6']
  const length = random.int(0, 6)
  let text = ''
  for (let i = 0; i < length; i++) text += random.pick(random.oneIn(12) ? halves : units)
  return text
}
