import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Json } from '@skein/sync'

/** Largest body of a request, in bytes. */
export const BODY_BYTES_MAX = 8 * 1024 * 1024

/** What a request is refused with: a status, a word for programs and a sentence for people. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Whether the write was applied: `no` for certain, or `maybe`. */
    readonly applied: 'no' | 'maybe' = 'no',
  ) {
    super(message)
  }
}

export function sendJson(response: ServerResponse, status: number, body: Json): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}

export function sendError(response: ServerResponse, error: HttpError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { code, message, applied } = error
  sendJson(response, error.status, { error: { code, message, applied } })
}

/** The request's body as JSON. @throws HttpError 400, 413, 415 */
export async function readJson(request: IncomingMessage, ...types: string[]): Promise<Json> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? types[0]!
  // Pages can send some types anywhere without being asked; JSON is not one of them.
  if (!types.includes(type)) {
    throw new HttpError(415, 'unsupported-type', `the body must be ${types.join(' or ')}, not ${type}`)
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) {
      throw new HttpError(413, 'too-large', `the body is over ${BODY_BYTES_MAX} bytes`)
    }
    chunks.push(chunk)
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
    return JSON.parse(text) as Json
  } catch {
    throw new HttpError(400, 'bad-json', 'the body is not JSON in UTF-8')
  }
}
