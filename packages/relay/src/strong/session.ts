import { setMaxListeners } from 'node:events'
import type { Condition, Entry, Operation } from '@skein/paxos'
import type {
  StrongAnswer,
  StrongAnswerMessage,
  StrongCondition,
  StrongEventMessage,
  StrongRequest,
  StrongRequestMessage,
} from '@skein/protocol'
import { checkPrefixes } from './check.js'
import type { StrongSpaces } from './spaces.js'
import { StrongError, type StrongErrorCode } from './strong-error.js'

/** What a connection may have under way; more is answered `busy`. */
export const STRONG_SESSION_LIMITS = {
  requestsMax: 256,
  watchesMax: 256,
} as const

/** How long a watch may take to learn whether its key is strong. */
const WATCH_WITHIN_MS = 10_000

export interface StrongConnection {
  send(message: StrongAnswerMessage | StrongEventMessage): void
  /** Whether it takes bytes too slowly for events. When it has drained, call `writable`. */
  readonly congested: boolean
}

/** The strong requests of one connection to a space. */
export class StrongSession {
  private readonly left = new AbortController()
  private readonly watches = new Map<string, { end: () => void }>()
  /** The newest entry of each key that the connection was not told yet. */
  private readonly news = new Map<string, Entry>()
  private openCount = 0

  constructor(
    private readonly spaces: StrongSpaces,
    private readonly space: string,
    private readonly connection: StrongConnection,
    private readonly onError: (error: unknown) => void,
  ) {
    const { requestsMax, watchesMax } = STRONG_SESSION_LIMITS
    setMaxListeners(requestsMax + watchesMax, this.left.signal)
  }

  receive({ number, request }: StrongRequestMessage): void {
    if (this.left.signal.aborted) return
    if (request.kind === 'unwatch') this.unwatch(request.key)
    else if (request.kind === 'watch') void this.watch(number, request.key)
    else void this.answer(number, request)
  }

  /** The connection takes more. */
  writable(): void {
    for (const [key, entry] of this.news) {
      if (this.connection.congested) return
      this.news.delete(key)
      this.connection.send({ type: 'strong-event', key, entry })
    }
  }

  /** The connection is gone: nobody waits for what it asked for. */
  close(): void {
    this.left.abort()
    for (const key of [...this.watches.keys()]) this.unwatch(key)
  }

  private async answer(
    number: number,
    request: Exclude<StrongRequest, { readonly kind: 'watch' | 'unwatch' }>,
  ): Promise<void> {
    if (this.openCount >= STRONG_SESSION_LIMITS.requestsMax) return this.reply(number, BUSY)
    this.openCount++
    const options = { withinMs: request.deadlineMs, signal: this.left.signal }
    let answer: StrongAnswer
    try {
      answer =
        request.kind === 'declare'
          ? await this.declare(request.prefixes, options)
          : await this.spaces.execute(this.space, request.key, operationOf(request), options)
    } catch (error) {
      answer = this.failure(error, request.kind)
    }
    this.openCount--
    this.reply(number, answer)
  }

  private async declare(
    prefixes: readonly string[],
    options: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<StrongAnswer> {
    if (prefixes.length === 0) {
      const known = await this.spaces.declarationOrDefault(this.space, options)
      return { kind: 'declared', prefixes: known }
    }
    const wanted = checkPrefixes(prefixes)
    const decided = await this.spaces.declare(this.space, wanted, options)
    if (wanted.length === decided.length && wanted.every((prefix) => decided.includes(prefix))) {
      return { kind: 'declared', prefixes: decided }
    }
    return {
      kind: 'refused',
      code: 'mismatch',
      message: 'other strong keys were declared in this space before',
    }
  }

  private async watch(number: number, key: string): Promise<void> {
    if (this.watches.has(key)) return
    if (this.watches.size >= STRONG_SESSION_LIMITS.watchesMax) return this.reply(number, BUSY)
    const watch = { end: () => {} }
    this.watches.set(key, watch)
    const isCurrent = () => this.watches.get(key) === watch
    const told = (entry: Entry) => {
      if (!isCurrent()) return
      this.news.set(key, entry)
      this.writable()
    }
    try {
      const options = { withinMs: WATCH_WITHIN_MS, signal: this.left.signal }
      const end = await this.spaces.watch(this.space, key, told, () => this.unwatch(key), options)
      if (isCurrent()) watch.end = end
      else end()
    } catch (error) {
      if (!isCurrent()) return
      this.watches.delete(key)
      this.reply(number, this.failure(error, 'watch'))
    }
  }

  private unwatch(key: string): void {
    const watch = this.watches.get(key)
    this.watches.delete(key)
    this.news.delete(key)
    watch?.end()
  }

  private reply(number: number, answer: StrongAnswer): void {
    if (this.left.signal.aborted) return
    this.connection.send({ type: 'strong-answer', number, answer })
  }

  private failure(error: unknown, kind: StrongRequest['kind']): StrongAnswer {
    if (!(error instanceof StrongError)) {
      this.onError(error)
      // A write may have been applied before it failed; what only reads was not.
      return kind === 'write' || kind === 'resolve' || kind === 'declare' ? { kind: 'unknown' } : NO_QUORUM
    }
    switch (error.code) {
      case 'unavailable':
        return NO_QUORUM
      case 'unknown':
        return { kind: 'unknown' }
      default:
        return {
          kind: 'refused',
          code: REFUSALS[error.code],
          message: error.message.slice(0, MESSAGE_CHARS_MAX),
        }
    }
  }
}

const BUSY: StrongAnswer = { kind: 'unavailable', reason: 'busy' }
const NO_QUORUM: StrongAnswer = { kind: 'unavailable', reason: 'no-quorum' }

/** So that it is short enough in any language. */
const MESSAGE_CHARS_MAX = 300

const REFUSALS = {
  'not-strong': 'not-strong',
  'bad-key': 'malformed',
  'bad-value': 'malformed',
  'bad-declaration': 'malformed',
  'too-large': 'too-large',
} as const satisfies Record<Exclude<StrongErrorCode, 'unavailable' | 'unknown'>, string>

function operationOf(
  request: Extract<StrongRequest, { readonly kind: 'get' | 'write' | 'resolve' }>,
): Operation {
  switch (request.kind) {
    case 'get':
      return { kind: 'read' }
    case 'resolve':
      return { kind: 'resolve', id: request.id, since: request.since }
    case 'write': {
      const { id, since, settled, data, keepsFence } = request
      return {
        kind: 'write',
        id,
        since,
        settled,
        condition: conditionOf(request.condition),
        data,
        keepsFence,
      }
    }
  }
}

function conditionOf(condition: StrongCondition): Condition | undefined {
  return condition.kind === 'none' ? undefined : condition
}
