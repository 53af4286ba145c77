import type { Entry } from '@skein/paxos'
import type { Json } from '@skein/sync'
import { formatOperation, StrongError } from '../strong/strong-error.js'
import { HttpError } from './respond.js'
import { etagOf } from './strong-request.js'

/** An error that tells the entry there is, and its ETag if there is a value. */
export function failed(
  status: number,
  code: string,
  message: string,
  applied: 'no' | 'maybe',
  entry: Entry,
): HttpError {
  const headers = entry.value === undefined ? {} : { etag: etagOf(entry.version) }
  return new HttpError(status, code, message, applied, current(entry), headers)
}

export function current(entry: Entry): { readonly current: Json } {
  return { current: JSON.parse(entryText(entry)) as Json }
}

/** An entry as JSON: the value is in it as it is. */
export function entryText({ value, version, fence }: Entry): string {
  const rest = `"version":${version},"fence":${fence}}`
  return value === undefined ? `{${rest}` : `{"value":${value},${rest}`
}

export function toHttp(error: unknown): never {
  if (!(error instanceof StrongError)) throw error
  const { code, message, applied, operation } = error
  const more = operation === undefined ? {} : { operation: formatOperation(operation) }
  const headers = code === 'unavailable' ? { 'retry-after': '1' } : {}
  throw new HttpError(STATUS[code], code, message, applied, more, headers)
}

const STATUS = {
  'not-strong': 409,
  'bad-key': 400,
  'bad-value': 400,
  'bad-declaration': 400,
  'too-large': 413,
  unavailable: 503,
  unknown: 504,
} as const satisfies Record<StrongError['code'], number>
