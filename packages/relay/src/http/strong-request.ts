import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Condition } from '@skein/paxos'
import { LIMITS } from '@skein/protocol'
import type { ExecuteOptions } from '../strong/region.js'
import type { NamedOperation } from '../strong/strong-error.js'
import { HttpError } from './respond.js'

/** How long an operation may take where the request does not say. */
const WITHIN_MS = 5_000
const WITHIN_MS_MAX = 30_000
/** Longest `Idempotency-Key`, in bytes: it is the client of its operation. */
const KEY_BYTES_MAX = LIMITS.idBytesMax

/**
 * How long to try: `?deadlineMs=` or `Prefer: wait=<seconds>`, and no longer than the client waits.
 * @throws HttpError 400
 */
export function executeOptions(
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams | undefined,
): ExecuteOptions {
  const left = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) left.abort()
  })
  return { withinMs: withinMs(request, query), signal: left.signal }
}

function withinMs(request: IncomingMessage, query: URLSearchParams | undefined): number {
  const asked = query?.get('deadlineMs') ?? undefined
  if (asked !== undefined) {
    if (!/^[1-9]\d{0,8}$/.test(asked)) throw bad('deadlineMs is a whole number of milliseconds above 0')
    return Math.min(Number(asked), WITHIN_MS_MAX)
  }
  const { prefer } = request.headers
  if (prefer === undefined) return WITHIN_MS
  const wait = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(String(prefer))
  return wait === null ? WITHIN_MS : Math.min(Math.max(1, Number(wait[1]) * 1000), WITHIN_MS_MAX)
}

/** What has to hold for a write: `If-Match`, `If-None-Match: *`. @throws HttpError 400 */
export function conditionOf({ headers }: IncomingMessage): Condition | undefined {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  if (match !== undefined && noneMatch !== undefined) {
    throw bad('If-Match and If-None-Match cannot both hold; send one of them')
  }
  if (noneMatch !== undefined) {
    if (noneMatch.trim() === '*') return { kind: 'absent' }
    throw bad('a write takes If-None-Match only as *, which means that there must be no value')
  }
  if (match === undefined) return undefined
  if (match.trim() === '*') return { kind: 'present' }
  const version = versionOf(match.trim())
  if (version !== undefined) return { kind: 'version', version }
  throw bad('If-Match is * or one ETag, which is a version in quotation marks')
}

/** Whether a client has this version already: `If-None-Match` of a `GET`. */
export function isKnown({ headers }: IncomingMessage, etag: string): boolean {
  const known = headers['if-none-match']
  if (known === undefined) return false
  return known.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()))
}

export function etagOf(version: number): string {
  return `"${version}"`
}

/**
 * The operation that the client names by `Idempotency-Key`, so that it can be repeated.
 * @throws HttpError 400
 */
export function operationOf(
  { headers }: IncomingMessage,
  condition: Condition | undefined,
): NamedOperation | undefined {
  const client = headers['idempotency-key']
  if (client === undefined) return undefined
  if (typeof client !== 'string' || !/^[\x21-\x7e]+$/.test(client) || client.length > KEY_BYTES_MAX) {
    throw bad(`Idempotency-Key is 1 to ${KEY_BYTES_MAX} visible characters of ASCII`)
  }
  return { id: { client, sequence: 1 }, since: sinceOf(headers['skein-since'], condition) }
}

function sinceOf(header: string | string[] | undefined, condition: Condition | undefined): number {
  if (header !== undefined) {
    const since = versionOf(`"${String(header)}"`)
    if (since === undefined) throw bad('Skein-Since is a version: a whole number')
    return since
  }
  // Its client knew this version before it wrote.
  return condition?.kind === 'version' ? condition.version : 0
}

function versionOf(tag: string): number | undefined {
  const digits = /^"(\d{1,16})"$/.exec(tag)?.[1]
  const version = Number(digits)
  return Number.isSafeInteger(version) ? version : undefined
}

export function bad(message: string): HttpError {
  return new HttpError(400, 'bad-request', message)
}
