import {
  type AcceptorRecord,
  type Configuration,
  type Envelope,
  Participant,
  type ParticipantEffects,
  type WriteOperation,
} from '@skein/paxos'
import { describe, expect, test } from 'vitest'

const MEMBERS = ['A', 'B', 'C'].map((id) => ({ id, store: id }))
const FIRST: Configuration = { epoch: 1, members: MEMBERS }

function write(client: string, data: string): WriteOperation {
  return {
    kind: 'write',
    id: { client, sequence: 1 },
    since: 0,
    settled: 0,
    condition: undefined,
    data,
    keepsFence: false,
  }
}

/** Members whose disks are as fast as can be, and a network that delivers what it is told to. */
class Cluster {
  readonly members = new Map<string, Participant>()
  readonly outcomes = new Map<number, string>()
  readonly changes: string[] = []
  wire: (Envelope & { readonly from: string })[] = []

  constructor(configuration: Configuration = FIRST, ids = ['A', 'B', 'C']) {
    for (const id of ids) this.add(id, configuration)
  }

  add(id: string, configuration: Configuration): void {
    const records = new Map<string, AcceptorRecord>()
    this.records.set(id, records)
    const store = {
      get: (key: string) => records.get(key),
      keys: (after: string) => [...records.keys()].filter((key) => key > after),
    }
    this.members.set(id, new Participant({ id, incarnation: 1, configuration, store }))
  }

  do(id: string, step: (participant: Participant) => ParticipantEffects): void {
    const { persist, send, outcomes, changed } = step(this.members.get(id)!)
    for (const write of persist)
      if (write.kind === 'record') this.records.get(id)!.set(write.key, write.record)
    this.wire.push(...send.map((envelope) => ({ ...envelope, from: id })))
    for (const { token, outcome } of outcomes) this.outcomes.set(token, JSON.stringify(outcome))
    if (changed !== undefined) this.changes.push(`${changed.kind} ${changed.configuration.epoch}`)
    const last = persist.at(-1)
    if (last !== undefined) this.do(id, (participant) => participant.persisted(this.nowMs, last.number))
  }

  /** Delivers all that is on the wire and what comes of it, but for what is held back. */
  deliver(isHeld: (message: Envelope & { from: string }) => boolean = () => false): void {
    for (;;) {
      const index = this.wire.findIndex((message) => !isHeld(message))
      if (index === -1) return
      const [{ from, to, message }] = this.wire.splice(index, 1) as [Envelope & { from: string }]
      if (this.members.has(to)) this.do(to, (participant) => participant.receive(this.nowMs, from, message))
    }
  }

  /** Lets time pass. */
  pass(ms: number, isHeld?: (message: Envelope & { from: string }) => boolean): void {
    const endMs = this.nowMs + ms
    while (this.nowMs < endMs) {
      this.nowMs += 50
      for (const id of this.members.keys()) this.do(id, (participant) => participant.timeout(this.nowMs))
      this.deliver(isHeld)
    }
  }

  nowMs = 0
  private readonly records = new Map<string, Map<string, AcceptorRecord>>()
}

describe('found by the simulator', () => {
  test('P5 promises given before an operation came do not answer it', () => {
    const cluster = new Cluster()
    cluster.do('A', (a) =>
      a.submit(0, { token: 1, key: 'k', operation: write('a', 'old'), deadlineMs: 9_000 }),
    )
    cluster.deliver()
    // C asks for promises, to repeat an operation; the second one is long on its way.
    cluster.do('C', (c) =>
      c.submit(0, { token: 2, key: 'k', operation: write('a', 'old'), deadlineMs: 9_000 }),
    )
    cluster.deliver(({ message }) => message.kind === 'promised')
    cluster.do('B', (b) =>
      b.submit(0, { token: 3, key: 'k', operation: write('b', 'new'), deadlineMs: 9_000 }),
    )
    cluster.pass(150, ({ to, message }) => message.kind === 'promised' && to === 'C')
    expect(cluster.outcomes.get(3)).toContain('done')
    // Comes while C still waits for the promise.
    const operation = { ...write('c', 'mine'), condition: { kind: 'absent' } } as const
    cluster.do('C', (c) => c.submit(cluster.nowMs, { token: 4, key: 'k', operation, deadlineMs: 9_000 }))
    cluster.pass(2_000)
    expect(cluster.outcomes.get(4)).toContain('"value":"new"')
  })

  test('P5 an operation is no conflict while an earlier accept of it may be decided', () => {
    const cluster = new Cluster(FIRST, ['A', 'B', 'C', 'D'])
    const isAccept = ({ message }: Envelope) => message.kind === 'accept'
    // C alone accepts its own write.
    cluster.do('C', (c) =>
      c.submit(0, { token: 1, key: 'k', operation: write('c', 'first'), deadlineMs: 100 }),
    )
    cluster.deliver(isAccept)
    cluster.pass(100, isAccept)
    cluster.wire = []
    // D is no member. It meets C, and C alone accepts what comes of that.
    const operation = { ...write('d', 'second'), condition: { kind: 'present' } } as const
    cluster.do('D', (d) => d.submit(100, { token: 2, key: 'k', operation, deadlineMs: 99_000 }))
    cluster.pass(
      250,
      ({ to, message }) =>
        to === 'B' || (message.kind === 'accept' && to === 'A') || message.kind === 'accepted',
    )
    cluster.wire = []
    // Then it meets A and B, which have nothing.
    cluster.pass(3_000, ({ from, to }) => from === 'C' || to === 'C')
    expect(cluster.outcomes.get(2)).toContain('conflict')
    cluster.wire = []
    cluster.do('A', (a) =>
      a.submit(cluster.nowMs, { token: 3, key: 'k', operation: { kind: 'read' }, deadlineMs: 99_000 }),
    )
    cluster.pass(2_000, ({ from, to }) => from === 'B' || to === 'B')
    expect(cluster.outcomes.get(3)).toContain('"version":0')
  })

  test('P7 forgotten is not told of an operation that an earlier round of the same attempt applied', () => {
    const cluster = new Cluster()
    cluster.do('A', (a) =>
      a.submit(0, { token: 1, key: 'k', operation: write('a', 'one'), deadlineMs: 9_000 }),
    )
    // Its accept gets to B alone, and the answer to nobody.
    cluster.deliver(
      ({ to, message }) => message.kind === 'accepted' || (message.kind === 'accept' && to === 'C'),
    )
    cluster.wire = []
    // A later operation of the same client, which says that it will not ask again.
    const later = { ...write('a', 'two'), id: { client: 'a', sequence: 2 }, settled: 1 }
    const isToA = ({ to }: Envelope) => to === 'A'
    cluster.do('B', (b) => b.submit(0, { token: 2, key: 'k', operation: later, deadlineMs: 9_000 }))
    cluster.pass(190, isToA)
    expect(cluster.outcomes.get(2)).toContain('"version":2')
    cluster.wire = []
    cluster.pass(1_000)
    expect(cluster.outcomes.get(1)).toBe('{"kind":"unknown"}')
  })

  test('M2 two changes that one member begins are not taken for one another', () => {
    const cluster = new Cluster(FIRST, ['A', 'B', 'C', 'D', 'E'])
    const [one, other] = ['D', 'E'].map((id) => [...MEMBERS.slice(1), { id, store: id }])
    cluster.do('A', (a) => a.changeMembers(0, one!))
    // It is decided, but A does not hear of it.
    cluster.deliver(({ message }) => message.kind === 'accepted')
    cluster.wire = []
    cluster.do('A', (a) => a.changeMembers(0, other!))
    cluster.pass(3_000)
    expect(cluster.changes).toEqual(['other-change 2'])
  })

  test('M4 a driver that was overtaken comes to its end', () => {
    const cluster = new Cluster(FIRST, ['A', 'B', 'C', 'D'])
    const members = [...MEMBERS.slice(1), { id: 'D', store: 'D' }]
    cluster.do('A', (a) => a.changeMembers(0, members))
    // A is not told which keys there are, so it waits, and D begins the same.
    cluster.pass(500, ({ to, message }) => message.kind === 'listed' && to === 'A')
    cluster.wire = []
    cluster.do('D', (d) => d.changeMembers(cluster.nowMs, members))
    cluster.pass(5_000, ({ to, message }) => message.kind === 'listed' && to === 'A')
    expect(cluster.changes).toEqual(['changed 3', 'changed 3'])
  })

  test('M4 a change is not over before a majority has it installed', () => {
    const cluster = new Cluster({ epoch: 1, members: [MEMBERS[0]!] }, ['A', 'B'])
    const members = [MEMBERS[1]!]
    cluster.do('A', (a) => a.changeMembers(0, members))
    const isLast = ({ to, message }: Envelope) =>
      to === 'B' && message.kind === 'install' && message.configuration.epoch === 3
    cluster.pass(3_000, isLast)
    expect(cluster.members.get('A')!.configuration.epoch).toBe(3)
    cluster.do('A', (a) => a.changeMembers(cluster.nowMs, members))
    expect(cluster.changes).toEqual([])
    cluster.pass(1_000)
    expect(cluster.changes).toEqual(['changed 3'])
    expect(cluster.members.get('B')!.configuration.epoch).toBe(3)
  })

  test('M3 a copied key is promised to nobody older by a majority of the new members', () => {
    const members = ['A', 'C', 'D', 'E', 'Z'].map((id) => ({ id, store: id }))
    const cluster = new Cluster({ epoch: 1, members }, ['A', 'C', 'D', 'E', 'Z'])
    const touches = (id: string) => (message: Envelope & { from: string }) =>
      message.to === id || message.from === id
    cluster.do('A', (a) =>
      a.submit(0, { token: 1, key: 'k', operation: write('a', 'old'), deadlineMs: 9_000 }),
    )
    cluster.deliver()
    // Z has the promises of A, C and its own. Its accept is long on its way to C, and Z is gone.
    cluster.do('Z', (z) =>
      z.submit(0, { token: 2, key: 'k', operation: write('z', 'stray'), deadlineMs: 9_000 }),
    )
    const isStray = ({ from, message }: Envelope & { from: string }) =>
      from === 'Z' && message.kind === 'accept'
    cluster.pass(100, (message) => isStray(message) || touches('D')(message) || touches('E')(message))
    const stray = cluster.wire.find((message) => isStray(message) && message.to === 'C')!
    expect(stray).toBeDefined()
    cluster.members.delete('Z')
    cluster.wire = []
    // C hears nothing while the others make it, D and E the members.
    cluster.do('D', (d) => d.changeMembers(cluster.nowMs, members.slice(1, 4)))
    cluster.pass(8_000, touches('C'))
    expect(cluster.changes).toEqual(['changed 3'])
    const operation = write('e', 'new')
    cluster.do('E', (e) => e.submit(cluster.nowMs, { token: 3, key: 'k', operation, deadlineMs: 99_000 }))
    cluster.pass(2_000, touches('C'))
    expect(cluster.outcomes.get(3)).toContain('done')
    cluster.members.delete('E')
    cluster.wire = [stray]
    cluster.deliver()
    cluster.do('D', (d) =>
      d.submit(cluster.nowMs, { token: 4, key: 'k', operation: { kind: 'read' }, deadlineMs: 99_000 }),
    )
    cluster.pass(5_000)
    expect(cluster.outcomes.get(4)).toContain('"value":"new"')
  })

  test('P3 an answer to a read of an earlier life is not counted', () => {
    const store = { get: () => undefined, keys: () => [] }
    const roundOfFirstRead = (incarnation: number) => {
      const participant = new Participant({ id: 'A', incarnation, configuration: FIRST, store })
      const submission = { token: 1, key: 'k', operation: { kind: 'read' }, deadlineMs: 9_000 } as const
      const [{ message }] = participant.submit(0, submission).send as [Envelope]
      return message.kind === 'read' ? message.round : undefined
    }
    expect(roundOfFirstRead(1)).not.toEqual(roundOfFirstRead(2))
  })

  test('M3 keys that were listed in an older epoch are not all keys', () => {
    const change = new Cluster(FIRST, ['A', 'B', 'C', 'D'])
    change.do('A', (a) => a.changeMembers(0, [{ id: 'D', store: 'D' }]))
    change.pass(1_000, ({ message }) => message.kind === 'listed')
    // Told late, by two who have been asked the same in an earlier change.
    const stale = { kind: 'listed', epoch: 1, after: '', keys: [], isLast: true } as const
    for (const from of ['B', 'C']) change.do('A', (a) => a.receive(change.nowMs, from, stale))
    change.pass(2_000, ({ message }) => message.kind === 'listed')
    expect(change.changes).toEqual([])
    change.pass(2_000)
    expect(change.changes).toEqual(['changed 3'])
  })

  test('C6 the epoch of an answer is on disk', () => {
    const store = { get: () => undefined, keys: () => [] }
    const participant = new Participant({ id: 'A', incarnation: 1, configuration: FIRST, store })
    const install = { kind: 'install', configuration: { ...FIRST, epoch: 2 } } as const
    const [written] = participant.receive(0, 'B', install).persist
    const ballot = { counter: 0, proposer: '', incarnation: 0 }
    const read = {
      kind: 'read',
      epoch: 2,
      key: 'k',
      round: { counter: 1, proposer: 'B', incarnation: 1 },
      known: ballot,
    } as const
    expect(participant.receive(0, 'B', read).send).toEqual([])
    const kinds = participant.persisted(0, written!.number).send.map(({ message }) => message.kind)
    expect(kinds).toEqual(['installed', 'current'])
  })
})
