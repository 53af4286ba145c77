import { CLOSE, isFinalCloseCode } from '@skein/protocol'
import type { Agent } from './agent.js'
import type { Path, Socket } from './socket.js'
import type { Timer } from './timer.js'

/** What happens to a link. */
export interface LinkEvents {
  opened(): void
  frame(frame: Uint8Array): void
  ended(wasOpen: boolean): void
}

const OPEN_WITHIN_MS = 10_000

/** One server of an agent's list, as `packages/agent/src/relay-link.ts` has it: its socket, attempts, refusals. */
export class Link {
  state: 'idle' | 'connecting' | 'waiting' | 'open' | 'refused' = 'idle'
  isUnfit = false
  attemptedMs = Number.NEGATIVE_INFINITY
  /** Why it was refused. */
  refusedFor: number | undefined
  openedMs = 0
  heardMs = 0
  /** Whether the session took part there at the last look. */
  takesPart = false
  /** The last number of an update that was sent over the present connection, and one whose chunks are. */
  lastSeq = 0
  chunkedSeq: number | undefined
  private failures = 0
  private socket: Socket | undefined
  private openTimer: Timer | undefined
  private retryTimer: Timer | undefined

  constructor(
    private readonly agent: Agent,
    readonly path: Path,
    private readonly events: LinkEvents,
  ) {}

  get name(): string {
    return this.path.server.name
  }

  get bufferedAmount(): number {
    return this.socket?.bufferedAmount ?? 0
  }

  attempt(): void {
    this.retryTimer?.cancel()
    this.state = 'connecting'
    this.isUnfit = false
    this.attemptedMs = this.agent.world.events.nowMs
    this.takesPart = false
    this.lastSeq = 0
    this.chunkedSeq = undefined
    const { agent } = this
    const socket: Socket = this.path.connect({
      opened: () =>
        agent.whenAwake(() => {
          if (socket !== this.socket) return
          this.openTimer?.cancel()
          this.state = 'open'
          this.openedMs = this.heardMs = agent.world.events.nowMs
          this.events.opened()
        }),
      frame: (frame) =>
        agent.whenAwake(() => {
          if (socket !== this.socket || this.state !== 'open') return
          this.heardMs = agent.world.events.nowMs
          this.events.frame(frame)
        }),
      closed: (code) => agent.whenAwake(() => this.ended(socket, code)),
    })
    this.socket = socket
    this.openTimer = agent.timer(OPEN_WITHIN_MS, () => this.ended(socket, 0))
  }

  send(frame: Uint8Array): void {
    if (this.state === 'open') this.socket!.send(frame)
  }

  works(): void {
    this.failures = 0
  }

  /** Not needed now. */
  rest(): void {
    if (this.state === 'refused') return
    this.drop()
    this.state = 'idle'
  }

  /** What failed before may be tried at once. */
  forgive(): void {
    this.failures = 0
    this.attemptedMs = Number.NEGATIVE_INFINITY
    if (this.state !== 'waiting') return
    this.drop()
    this.state = 'idle'
  }

  /** Ends the connection for a reason of this side; `events.ended` is not called. */
  close(code: number): void {
    this.drop()
    if (isFinalCloseCode(code)) this.refuse(code)
    else this.failed()
  }

  private ended(socket: Socket, code: number): void {
    if (socket !== this.socket) return
    const wasOpen = this.state === 'open'
    this.drop()
    if (isFinalCloseCode(code)) this.refuse(code)
    else this.failed()
    this.events.ended(wasOpen)
  }

  private failed(): void {
    const { agent } = this
    this.failures++
    this.state = 'waiting'
    const { backoffMs } = agent.world.sync
    this.retryTimer = agent.timer(backoffMs(this.failures, agent.world.random.next()), () => {
      this.state = 'idle'
      this.events.ended(false)
    })
  }

  private refuse(code: number): void {
    this.state = 'refused'
    this.refusedFor = code
    const isExpected = code === CLOSE.wrongEpoch || code === CLOSE.unfaithful
    this.agent.world.log?.(`${this.agent.name} does not use ${this.name} any more: ${code}`)
    if (!isExpected) this.agent.world.checks.refused(this.agent, this.path, code)
  }

  private drop(): void {
    this.openTimer?.cancel()
    this.retryTimer?.cancel()
    this.socket?.close()
    this.socket = undefined
  }
}
