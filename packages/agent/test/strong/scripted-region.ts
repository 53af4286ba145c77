import { once } from 'node:events'
import {
  applyOperation,
  EMPTY_REGISTER,
  type Entry,
  entryOf,
  type Operation,
  type Register,
} from '@skein/paxos'
import {
  decodeFrame,
  encodeFrame,
  type Message,
  type StrongAnswer,
  type StrongRequest,
  type StrongRequestMessage,
} from '@skein/protocol'
import { onTestFinished } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

/** What a test makes of a request. */
export interface Asking {
  readonly request: StrongRequest
  /** How many requests of this kind came before, over all connections. */
  readonly before: number
  answer(answer: StrongAnswer): void
  /** Does what a relay does, and returns the answer instead of sending it. */
  carryOut(): StrongAnswer | undefined
  /** Ends the connection. */
  drop(): void
}

/** A relay with registers that are decided at once, and that otherwise does what the test says. */
export class ScriptedRegion {
  readonly registers = new Map<string, Register>()
  readonly requests: StrongRequestMessage[] = []
  prefixes: readonly string[] = []
  features: readonly string[] = ['strong']
  /** Returns true where it did all that is to be done. */
  script: ((asking: Asking) => boolean) | undefined
  private readonly sockets = new Map<WebSocket, Set<string>>()

  private constructor(readonly server: WebSocketServer) {
    server.on('connection', (socket) => this.accept(socket))
  }

  static async start(): Promise<ScriptedRegion> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const region = new ScriptedRegion(server)
    onTestFinished(() => {
      region.drop()
      server.close()
    })
    return region
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as { port: number }).port}`
  }

  get connections(): number {
    return this.sockets.size
  }

  /** The requests of one kind, in their order. */
  asked<K extends StrongRequest['kind']>(kind: K): Extract<StrongRequest, { kind: K }>[] {
    return this.requests
      .map(({ request }) => request)
      .filter((request): request is Extract<StrongRequest, { kind: K }> => request.kind === kind)
  }

  entry(key: string): Entry {
    return entryOf(this.registers.get(key) ?? EMPTY_REGISTER)
  }

  /** As another client would. */
  write(key: string, value: string | undefined, sequence: number, keepsFence = false): void {
    const id = { client: 'another', sequence }
    const base = { kind: 'write', id, since: 0, settled: 0, condition: undefined, keepsFence } as const
    this.apply(key, { ...base, data: value })
  }

  drop(): void {
    for (const socket of this.sockets.keys()) socket.terminate()
  }

  sendAll(message: Message): void {
    for (const socket of this.sockets.keys()) socket.send(encodeFrame(message))
  }

  private accept(socket: WebSocket): void {
    this.sockets.set(socket, new Set())
    const send = (message: Message) => socket.send(encodeFrame(message))
    const limits = { frameBytesMax: 1 << 20, updateBytesMax: 1 << 20, features: this.features, epoch: '' }
    send({ type: 'hello', versionMin: 1, versionMax: 1, id: 'r', ...limits })
    send({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
    socket.on('close', () => this.sockets.delete(socket))
    socket.on('message', (data: Buffer) => {
      const message = decodeFrame(new Uint8Array(data))
      if (message.type === 'ping') send({ type: 'pong', pingSentAtUs: message.sentAtUs })
      if (message.type === 'sync-step-1') send({ type: 'sync-step-2', update: Uint8Array.of(0, 0) })
      if (message.type === 'strong-request') this.asking(socket, message)
    })
  }

  private asking(socket: WebSocket, message: StrongRequestMessage): void {
    const { number, request } = message
    const before = this.asked(request.kind).length
    this.requests.push(message)
    const answer = (answered: StrongAnswer) =>
      socket.send(encodeFrame({ type: 'strong-answer', number, answer: answered }))
    const carryOut = () => this.carryOut(socket, request)
    if (this.script?.({ request, before, answer, carryOut, drop: () => socket.terminate() })) return
    const result = carryOut()
    if (result !== undefined) answer(result)
  }

  private carryOut(socket: WebSocket, request: StrongRequest): StrongAnswer | undefined {
    if (request.kind === 'declare') return this.declare(request.prefixes)
    const { key } = request
    if (!this.prefixes.some((prefix) => key.startsWith(prefix))) {
      return { kind: 'refused', code: 'not-strong', message: key }
    }
    switch (request.kind) {
      case 'watch':
        this.sockets.get(socket)?.add(key)
        this.tell(key)
        return undefined
      case 'unwatch':
        this.sockets.get(socket)?.delete(key)
        return undefined
      case 'get':
        return this.apply(key, { kind: 'read' })
      case 'resolve':
        return this.apply(key, request)
      case 'write': {
        const condition = request.condition.kind === 'none' ? undefined : request.condition
        return this.apply(key, { ...request, condition })
      }
    }
  }

  private declare(prefixes: readonly string[]): StrongAnswer {
    if (this.prefixes.length === 0) this.prefixes = prefixes
    if (prefixes.length > 0 && prefixes.join() !== this.prefixes.join()) {
      return { kind: 'refused', code: 'mismatch', message: 'others are decided' }
    }
    return { kind: 'declared', prefixes: this.prefixes }
  }

  private apply(key: string, operation: Operation): StrongAnswer {
    const { register, result } = applyOperation(this.registers.get(key) ?? EMPTY_REGISTER, operation)
    if (this.registers.get(key) !== register) {
      this.registers.set(key, register)
      if (operation.kind !== 'read') this.tell(key)
    }
    return result
  }

  private tell(key: string): void {
    for (const [socket, watched] of this.sockets) {
      if (!watched.has(key)) continue
      socket.send(encodeFrame({ type: 'strong-event', key, entry: this.entry(key) }))
    }
  }
}
