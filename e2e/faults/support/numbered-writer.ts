import * as Y from 'yjs'
import { type Auditor, DELETED, type Fact } from './auditor.js'
import { RawClient, type Received } from './raw-client.js'
import type { Random } from './seed.js'
import { type After, pause } from './until.js'

/** Updates under way at once; more would only wait in sockets. */
const UNACKNOWLEDGED_MAX = 64

export interface WriterOptions {
  readonly name: string
  readonly space: string
  readonly auditor: Auditor
  readonly random: Random
  /** Characters of ballast in each value: fills disks faster. */
  readonly ballast?: number
}

/** What comes next of one writer: mostly new keys, sometimes a key again, sometimes a deletion. */
export class FactSource {
  private next = 0
  private again = 0
  private readonly alive: string[] = []

  constructor(
    private readonly name: string,
    private readonly random: Random,
  ) {}

  take(): Fact {
    const dice = this.random.next()
    if (dice < 0.1) return { key: `${this.name}/again`, version: ++this.again }
    if (dice < 0.2 && this.alive.length > 0) {
      const [key] = this.alive.splice(this.random.below(this.alive.length), 1)
      return { key: key!, version: DELETED }
    }
    const key = `${this.name}/${this.next++}`
    this.alive.push(key)
    return { key, version: 1 }
  }
}

/** A client without any of the agent's code that writes numbered updates and believes only acknowledgements. */
export class NumberedWriter {
  readonly doc = new Y.Doc()
  /** Why the connections ended so far. */
  readonly codes: number[] = []
  private readonly facts: FactSource
  /** What each number of this connection carries. */
  private sent = new Map<number, Fact[]>()
  private unconfirmed = new Set<Fact>()
  private client: RawClient | undefined
  private seq = 0
  private live = false
  private stopped = false

  constructor(private readonly options: WriterOptions) {
    this.facts = new FactSource(options.name, options.random)
  }

  /** How many facts nobody has acknowledged. */
  get waiting(): number {
    return this.unconfirmed.size
  }

  get connected(): boolean {
    return this.live
  }

  connect(after: After, url: string): void {
    const client = new RawClient(url, this.options.space, { onMessage: (message) => this.receive(message) })
    after(() => client.terminate())
    this.client = client
    this.live = false
    this.seq = 0
    this.sent.clear()
    void client.closed.then((code) => {
      if (this.client !== client) return
      this.codes.push(code)
      this.live = false
    })
  }

  disconnect(): void {
    const { client } = this
    this.client = undefined
    this.live = false
    client?.terminate()
  }

  /** Writes without pause until `stop`, connected or, a little, not. */
  async run(after: After): Promise<void> {
    // A failed test leaves in the middle of it.
    after(() => this.stop())
    while (!this.stopped) {
      if (this.unconfirmed.size < UNACKNOWLEDGED_MAX) this.write()
      await pause(this.live ? this.options.random.below(4) : 10)
    }
  }

  stop(): void {
    this.stopped = true
  }

  write(): void {
    const fact = this.facts.take()
    const { auditor, ballast, random } = this.options
    auditor.wrote(fact)
    this.unconfirmed.add(fact)
    const before = Y.encodeStateVector(this.doc)
    const map = this.doc.getMap('state')
    let update: Uint8Array | undefined
    this.doc.once('update', (bytes: Uint8Array) => {
      update = bytes
    })
    if (fact.version === DELETED) map.delete(fact.key)
    else map.set(fact.key, ballast === undefined ? fact.version : [fact.version, random.text(ballast)])
    if (this.live) this.send(update ?? Y.encodeStateAsUpdate(this.doc, before), [fact], false)
  }

  private send(update: Uint8Array, facts: Fact[], answersStep1: boolean): void {
    const seq = ++this.seq
    this.sent.set(seq, facts)
    this.client?.send({ type: 'numbered-update', seq, answersStep1, update })
    // One that fills disks waits for each answer.
    if (this.options.ballast !== undefined) this.client?.send({ type: 'hurry' })
  }

  private receive(message: Received): void {
    if (message.type === 'sync-step-1') {
      // All that the relay lacks, so its acknowledgement covers what earlier connections left open.
      this.send(Y.encodeStateAsUpdate(this.doc, message.stateVector), [...this.unconfirmed], true)
      this.live = true
    } else if (message.type === 'ack') {
      for (const [seq, facts] of this.sent) {
        if (seq < message.from || seq > message.to) continue
        this.sent.delete(seq)
        for (const fact of facts) this.confirm(fact)
      }
    }
  }

  private confirm(fact: Fact): void {
    if (this.unconfirmed.delete(fact)) this.options.auditor.confirmed(fact)
  }
}
