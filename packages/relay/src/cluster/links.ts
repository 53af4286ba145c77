import type { PeerMessage } from '@skein/paxos'
import type { WebSocket } from 'ws'
import { Dialer } from './dialer.js'
import type { Hello } from './hello.js'
import { CLUSTER_LIMITS } from './limits.js'
import { LINK_CLOSE, Link } from './link.js'

const CHECK_EVERY_MS = 500

export interface LinksOptions {
  readonly id: string
  /** What this member says of itself now. */
  readonly hello: () => Hello
  /** Why the other side cannot be talked to; undefined where it can. */
  readonly refuse: (peer: Hello) => string | undefined
  readonly connected: (id: string) => void
  readonly disconnected: (id: string) => void
  readonly introduced: (peer: Hello) => void
  readonly received: (peer: Hello, messages: readonly PeerMessage[]) => void
}

/** The links to the other members, one each. */
export class Links {
  private readonly active = new Map<string, Link>()
  private readonly all = new Set<Link>()
  private readonly dialer: Dialer
  private readonly aliveTimer: ReturnType<typeof setInterval>
  private isFlushDue = false
  private isClosed = false
  private droppedBefore = 0

  constructor(private readonly options: LinksOptions) {
    this.dialer = new Dialer(
      (id) => this.active.has(id),
      (_id, socket) => this.add(socket, true),
    )
    let checkedMs = performance.now()
    this.aliveTimer = setInterval(() => {
      const nowMs = performance.now()
      const stoodStill = nowMs - checkedMs > 3 * CHECK_EVERY_MS
      checkedMs = nowMs
      for (const link of this.all) stoodStill ? link.forgive(nowMs) : link.checkAlive(nowMs)
    }, CHECK_EVERY_MS)
  }

  get connectedIds(): readonly string[] {
    return [...this.active.keys()]
  }

  get dropped(): number {
    return [...this.all].reduce((sum, link) => sum + link.dropped, this.droppedBefore)
  }

  peer(id: string): Hello | undefined {
    return this.active.get(id)?.peer
  }

  /** The members to be linked with, and where they are. */
  setTargets(addresses: ReadonlyMap<string, string>): void {
    this.dialer.keep(new Set(addresses.keys()))
    for (const [id, url] of addresses) this.dialer.add(id, url, this.options.id < id)
  }

  /** Connects to one that is no member yet, without waiting for it to do so. */
  invite(id: string, url: string): void {
    this.dialer.add(id, url, true)
  }

  /** Takes a connection that another member made. */
  accept(socket: WebSocket): void {
    const strangers = [...this.all].filter(({ peer }) => peer === undefined).length
    const link = this.add(socket, false)
    if (this.isClosed) link.close(LINK_CLOSE.stopping, 'the relay is stopping')
    else if (strangers >= CLUSTER_LIMITS.strangersMax) link.close(LINK_CLOSE.tooMany, 'too many links')
  }

  /** Leaves with all that is sent in this turn of the event loop, in one frame to each. */
  send(id: string, message: PeerMessage): void {
    this.active.get(id)?.send(message)
    if (this.isFlushDue) return
    this.isFlushDue = true
    setImmediate(() => {
      this.isFlushDue = false
      for (const link of this.active.values()) link.flush()
    })
  }

  /** What this member says of itself has changed. Others may be refused now, too. */
  announce(): void {
    const hello = this.options.hello()
    for (const link of this.all) link.introduce(hello)
    for (const [id, link] of this.active) {
      const reason = link.peer && this.options.refuse(link.peer)
      if (reason === undefined) continue
      link.close(LINK_CLOSE.refused, reason)
      this.active.delete(id)
    }
  }

  close(): void {
    this.isClosed = true
    clearInterval(this.aliveTimer)
    this.dialer.stop()
    // Nobody is told that these are gone.
    this.active.clear()
    for (const link of [...this.all]) {
      link.close(LINK_CLOSE.stopping, 'the relay is stopping')
      link.terminate()
    }
  }

  private add(socket: WebSocket, isDialed: boolean): Link {
    const link = new Link(socket, isDialed, {
      hello: (from, hello) => this.helloFrom(from, hello),
      messages: (from, messages) => {
        // Of one that was given up for another link nothing is lost: its sender does not know it either.
        if (from.peer !== undefined && this.active.get(from.peer.id) === from) {
          this.options.received(from.peer, messages)
        }
      },
      closed: (gone) => this.closed(gone),
    })
    this.all.add(link)
    link.introduce(this.options.hello())
    return link
  }

  private helloFrom(link: Link, hello: Hello): void {
    if (link.peer !== undefined && link.peer.id !== hello.id) {
      link.close(LINK_CLOSE.malformed, 'it changed its name')
      return
    }
    const reason = this.options.refuse(hello)
    if (reason !== undefined) {
      link.close(LINK_CLOSE.refused, reason)
      return
    }
    const isFirst = link.peer === undefined
    link.peer = hello
    const other = this.active.get(hello.id)
    if (isFirst && other !== undefined && !this.isBetter(link, other, hello.id)) {
      link.close(LINK_CLOSE.duplicate, 'there is another link')
      return
    }
    if (other !== link) {
      this.active.set(hello.id, link)
      other?.close(LINK_CLOSE.duplicate, 'there is another link')
    }
    this.dialer.succeeded(hello.id)
    this.options.introduced(hello)
    if (isFirst && this.active.get(hello.id) === link) this.options.connected(hello.id)
  }

  /** Both sides keep the same one: the newer of one maker, else the one that the lower id made. */
  private isBetter(link: Link, other: Link, peerId: string): boolean {
    if (link.isDialed === other.isDialed) return true
    return link.isDialed === this.options.id < peerId
  }

  private closed(link: Link): void {
    this.all.delete(link)
    this.droppedBefore += link.dropped
    const id = link.peer?.id
    if (id === undefined || this.active.get(id) !== link) return
    this.active.delete(id)
    this.dialer.lost(id)
    this.options.disconnected(id)
  }
}
