import { Agent, request } from 'node:http'
import type { Action, Seen } from './strong-history.js'
import type { After } from './until.js'

/** What one request came to. */
export type Reply =
  | { readonly kind: 'value'; readonly seen: Seen }
  | { readonly kind: 'done'; readonly version: number; readonly fence: number }
  | { readonly kind: 'conflict'; readonly seen: Seen }
  /** 503, or no connection: certainly not applied by this request. */
  | { readonly kind: 'unavailable' }
  /** 428: not applied by this request; of earlier ones it is not known any more. */
  | { readonly kind: 'forgotten' }
  /** 504. `operation` is what `resolve` takes. */
  | { readonly kind: 'unknown'; readonly operation: string }
  /** The connection ended after the request was sent, or no answer came. */
  | { readonly kind: 'lost' }

/** What settling an operation came to. */
export type Resolution =
  | { readonly kind: 'done'; readonly version: number; readonly fence: number }
  /** `seen` where it was told what is there. */
  | { readonly kind: 'aborted'; readonly seen: Seen | undefined }
  | { readonly kind: 'open' }

export interface SendOptions {
  /** Names the operation, the same in all its requests. */
  readonly id?: string
  /** How long the relay is to try. */
  readonly deadlineMs?: number
}

/** Longer than a relay's longest deadline here: its answer is worth waiting for. */
const ANSWER_MS_MAX = 15_000

/** A client of the strong region over HTTP, of any of the relays. */
export class StrongClient {
  private readonly agent = new Agent({ keepAlive: true })

  constructor(
    after: After,
    private readonly space: string,
  ) {
    after(() => this.agent.destroy())
  }

  async send(http: string, key: string, action: Action, options: SendOptions = {}): Promise<Reply> {
    const { id, deadlineMs } = options
    const query = deadlineMs === undefined ? '' : `?deadlineMs=${deadlineMs}`
    const method = methodOf(action)
    const headers: Record<string, string> = {}
    if (action.kind === 'write') {
      if (id !== undefined) headers['idempotency-key'] = id
      if (action.condition?.kind === 'version') headers['if-match'] = `"${action.condition.version}"`
      if (action.condition?.kind === 'absent') headers['if-none-match'] = '*'
    }
    const body = action.kind === 'write' ? action.data : undefined
    const answer = await this.exchange(method, `${this.url(http, key)}${query}`, headers, body)
    if (answer.kind === 'refused') return { kind: 'unavailable' }
    return answer.kind === 'lost' ? answer : replyOf(answer, method)
  }

  /** Settles an operation whose outcome is unknown. */
  async resolve(http: string, key: string, operation: string): Promise<Resolution> {
    const url = `${this.url(http, key)}?resolve=${encodeURIComponent(operation)}`
    const answer = await this.exchange('POST', url, {}, undefined)
    if (answer.kind !== 'answer') return { kind: 'open' }
    if (answer.status === 200) {
      const body = JSON.parse(answer.text) as Body
      if (body.applied === true) return { kind: 'done', ...written(body) }
      return { kind: 'aborted', seen: seenIn(body.current!) }
    }
    if ([410, 503, 504].includes(answer.status)) return { kind: 'open' }
    throw new Error(`resolve was answered ${answer.status}: ${answer.text}`)
  }

  private url(http: string, key: string): string {
    return `${http}/v1/spaces/${this.space}/strong/${encodeURIComponent(key)}`
  }

  private exchange(
    method: string,
    url: string,
    headers: Record<string, string>,
    body: string | undefined,
  ): Promise<Exchange> {
    return new Promise((resolve) => {
      const outgoing = request(url, { method, agent: this.agent, headers: { ...headers, ...sized(body) } })
      const timer = setTimeout(() => outgoing.destroy(new Error('no answer')), ANSWER_MS_MAX)
      const settle = (exchange: Exchange) => {
        clearTimeout(timer)
        resolve(exchange)
      }
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        settle({ kind: error.code === 'ECONNREFUSED' ? 'refused' : 'lost' })
      })
      outgoing.on('response', (incoming) => {
        let text = ''
        incoming.setEncoding('utf8')
        incoming.on('data', (chunk: string) => {
          text += chunk
        })
        incoming.on('end', () => settle({ kind: 'answer', status: incoming.statusCode!, text }))
        incoming.on('error', () => settle({ kind: 'lost' }))
        incoming.on('close', () => settle({ kind: 'lost' }))
      })
      outgoing.end(body)
    })
  }
}

interface Answered {
  readonly kind: 'answer'
  readonly status: number
  readonly text: string
}
type Exchange = Answered | { readonly kind: 'refused' } | { readonly kind: 'lost' }

interface EntryBody {
  readonly value?: unknown
  readonly version?: number
  readonly fence?: number
}

interface Body extends EntryBody {
  readonly current?: EntryBody
  readonly error?: { readonly code: string }
  readonly operation?: string
  readonly applied?: boolean
}

function methodOf(action: Action): 'GET' | 'PUT' | 'DELETE' {
  if (action.kind !== 'write') return 'GET'
  return action.data === undefined ? 'DELETE' : 'PUT'
}

function sized(body: string | undefined): Record<string, string> {
  if (body === undefined) return {}
  return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
}

function replyOf({ status, text }: Answered, method: string): Reply {
  const body = JSON.parse(text) as Body
  const current = () => seenIn(body.current ?? {})
  switch (status) {
    case 200:
    case 201:
      return method === 'GET' ? { kind: 'value', seen: seenIn(body) } : { kind: 'done', ...written(body) }
    case 404:
      return { kind: method === 'GET' ? 'value' : 'conflict', seen: current() }
    case 412:
      return body.error?.code === 'forgotten' ? { kind: 'forgotten' } : { kind: 'conflict', seen: current() }
    case 428:
      return { kind: 'forgotten' }
    case 503:
      return { kind: 'unavailable' }
    case 504:
      return { kind: 'unknown', operation: body.operation! }
    default:
      throw new Error(`${method} was answered ${status}: ${text}`)
  }
}

function seenIn({ value, version }: EntryBody): Seen {
  return { data: value === undefined ? undefined : JSON.stringify(value), version }
}

function written({ version, fence }: EntryBody): { version: number; fence: number } {
  if (version === undefined || fence === undefined) throw new Error('a write was told no version or fence')
  return { version, fence }
}
