import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Entry } from '@skein/paxos'
import { LIMITS } from '@skein/protocol'
import type { Json } from '@skein/sync'
import { checkPrefixes, valueText } from '../strong/check.js'
import { DEFAULT_KEY, DEFAULT_SPACE } from '../strong/declarations.js'
import type { ExecuteOptions } from '../strong/region.js'
import type { StrongSpaces, StrongWriteResult } from '../strong/spaces.js'
import { parseOperation } from '../strong/strong-error.js'
import { isObject } from './merge-patch.js'
import { HttpError, readSmallJson, sendJson, sendText } from './respond.js'
import type { StreamSeats } from './stream-seats.js'
import { current, entryText, failed, toHttp } from './strong-answer.js'
import { bad, conditionOf, etagOf, executeOptions, isKnown, operationOf } from './strong-request.js'
import { streamEntries } from './strong-stream.js'

export const STRONG_METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'POST']
export const DECLARATION_METHODS = ['GET', 'HEAD', 'PUT']
export const DEFAULT_METHODS = ['GET', 'HEAD', 'POST']

/** A value may be written with as much space around its parts as it has itself, and escapes. */
const BODY_BYTES_MAX = 8 * LIMITS.strongValueBytesMax

/** `/v1/spaces/:space/strong/:key`: one strong key. @throws HttpError */
export async function strongRoute(
  request: IncomingMessage,
  response: ServerResponse,
  spaces: StrongSpaces,
  streams: StreamSeats,
  space: string,
  key: string,
): Promise<void> {
  const query = queryOf(request)
  const options = executeOptions(request, response, query)
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      if (request.method === 'GET' && request.headers.accept?.includes('text/event-stream')) {
        return streams.take(() => streamEntries(response, spaces, space, key, options))
      }
      return sendEntry(request, response, key, await spaces.get(space, key, options).catch(toHttp))
    case 'PUT': {
      const body = await readSmallJson(request, BODY_BYTES_MAX)
      return write(request, response, spaces, space, key, body, options)
    }
    case 'DELETE':
      return write(request, response, spaces, space, key, undefined, options)
    case 'POST':
      return resolve(response, spaces, space, key, query?.get('resolve') ?? '', options)
  }
}

/** `/v1/spaces/:space/strong`: which keys are strong. @throws HttpError */
export async function declarationRoute(
  request: IncomingMessage,
  response: ServerResponse,
  spaces: StrongSpaces,
  space: string,
): Promise<void> {
  const options = executeOptions(request, response, queryOf(request))
  if (request.method !== 'PUT') {
    const prefixes = await spaces.declaration(space, options).catch(toHttp)
    if (prefixes !== undefined) return sendJson(response, 200, { prefixes })
    throw new HttpError(404, 'not-declared', 'no strong keys were declared in this space yet')
  }
  const body = await readSmallJson(request, BODY_BYTES_MAX)
  const wanted = isObject(body) ? body.prefixes : undefined
  if (wanted === undefined) throw new HttpError(400, 'bad-declaration', 'send {"prefixes": ["lock/"]}')
  try {
    const asked = checkPrefixes(wanted)
    const prefixes = await spaces.declare(space, asked, options)
    if (asked.length === prefixes.length && asked.every((prefix) => prefixes.includes(prefix))) {
      return sendJson(response, 200, { prefixes })
    }
    const what = 'other strong keys were declared in this space before, and that is for good'
    throw new HttpError(409, 'declared-before', what, 'no', { current: { prefixes } })
  } catch (error) {
    return toHttp(error)
  }
}

/** `/state`: one strong value without any names, for programs that need no more. @throws HttpError */
export async function defaultRoute(
  request: IncomingMessage,
  response: ServerResponse,
  spaces: StrongSpaces,
): Promise<void> {
  const options = executeOptions(request, response, queryOf(request))
  if (request.method !== 'POST') {
    const entry = await spaces.get(DEFAULT_SPACE, DEFAULT_KEY, options).catch(toHttp)
    const etag = etagOf(entry.version)
    return sendText(response, 200, entryText({ ...entry, value: entry.value ?? 'null' }), { etag })
  }
  const body = await readSmallJson(request, BODY_BYTES_MAX)
  const value = isObject(body) ? body.value : undefined
  if (value === undefined) throw new HttpError(400, 'bad-value', 'send {"value": ...}')
  await write(request, response, spaces, DEFAULT_SPACE, DEFAULT_KEY, value, options)
}

function sendEntry(request: IncomingMessage, response: ServerResponse, key: string, entry: Entry): void {
  if (entry.value === undefined) {
    throw new HttpError(404, 'no-such-key', `there is no strong key "${key}"`, 'no', current(entry))
  }
  const etag = etagOf(entry.version)
  if (isKnown(request, etag)) response.writeHead(304, { etag, 'cache-control': 'no-store' }).end()
  else sendText(response, 200, entryText(entry), { etag })
}

async function write(
  request: IncomingMessage,
  response: ServerResponse,
  spaces: StrongSpaces,
  space: string,
  key: string,
  value: Json | undefined,
  options: ExecuteOptions,
): Promise<void> {
  const asked = conditionOf(request)
  // To delete what is not there is a mistake, as it is in the shared state.
  const condition = asked ?? (value === undefined ? ({ kind: 'present' } as const) : undefined)
  const operation = operationOf(request, asked)
  let data: string | undefined
  let result: StrongWriteResult
  try {
    data = value === undefined ? undefined : valueText(value)
    result = await spaces.write(
      space,
      key,
      operation === undefined ? { data, condition } : { data, condition, operation },
      options,
    )
  } catch (error) {
    return toHttp(error)
  }
  switch (result.kind) {
    case 'done': {
      const { version, fence, created } = result
      const text = entryText({ value: data, version, fence })
      if (data === undefined) return sendText(response, 200, text)
      return sendText(response, created === true ? 201 : 200, text, { etag: etagOf(version) })
    }
    case 'conflict':
      if (asked === undefined) {
        throw new HttpError(
          404,
          'no-such-key',
          `there is no strong key "${key}"`,
          'no',
          current(result.current),
        )
      }
      throw failed(412, 'conflict', 'the condition does not hold; nothing was applied', 'no', result.current)
    case 'aborted':
      throw failed(
        409,
        'aborted',
        'this operation was resolved before: it is never applied',
        'no',
        result.current,
      )
    case 'forgotten':
      if (asked?.kind === 'version') {
        const what = 'this attempt was not applied; whether an earlier one was cannot be told any more'
        throw failed(412, 'forgotten', what, 'maybe', result.current)
      }
      throw failed(428, 'forgotten', WHAT_TO_SEND, 'maybe', result.current)
  }
}

const WHAT_TO_SEND =
  'too many have written since for this relay to know whether an earlier attempt was applied; this one was not. ' +
  'Send If-Match with the version that you saw, or, where this was the first attempt, Skein-Since with the current version'

/** Settles what became of an operation. */
async function resolve(
  response: ServerResponse,
  spaces: StrongSpaces,
  space: string,
  key: string,
  word: string,
  options: ExecuteOptions,
): Promise<void> {
  const operation = parseOperation(word)
  if (operation === undefined) throw bad('POST takes ?resolve=, the operation that an answer 504 has named')
  const result = await spaces.resolve(space, key, operation, options).catch(toHttp)
  switch (result.kind) {
    case 'done': {
      const { version, fence } = result
      return sendJson(response, 200, { applied: true, version, fence })
    }
    case 'aborted':
      return sendJson(response, 200, { applied: false, ...current(result.current) })
    case 'forgotten':
      throw failed(
        410,
        'forgotten',
        'whether it was applied cannot be told any more',
        'maybe',
        result.current,
      )
  }
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams | undefined {
  const start = url.indexOf('?')
  return start < 0 ? undefined : new URLSearchParams(url.slice(start + 1))
}
