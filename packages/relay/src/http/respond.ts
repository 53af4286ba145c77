import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
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

/** The client went away before it had sent its request: nobody is there to answer, and nothing is wrong. */
export class ClientGone extends Error {}

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
  sendJson(response, error.status, bodyOf(error))
}

/** An error as the bytes of a whole response, where there is no request to respond to. */
export function rawError(error: HttpError): string {
  const text = `${JSON.stringify(bodyOf(error))}\n`
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${text}`
}

function bodyOf({ code, message, applied }: HttpError): Json {
  return { error: { code, message, applied } }
}

/** The request's body as JSON. @throws HttpError 400, 413, 415; ClientGone */
export async function readJson(request: IncomingMessage, ...types: string[]): Promise<Json> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? types[0]!
  // Pages can send some types anywhere without being asked; JSON is not one of them.
  if (!types.includes(type)) {
    throw new HttpError(415, 'unsupported-type', `the body must be ${types.join(' or ')}, not ${type}`)
  }
  const body = await readBody(request)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as Json
  } catch {
    throw new HttpError(400, 'bad-json', 'the body is not JSON in UTF-8')
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > BODY_BYTES_MAX) {
        throw new HttpError(413, 'too-large', `the body is over ${BODY_BYTES_MAX} bytes`)
      }
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof HttpError) throw error
    // Reading a body fails only with the connection under it.
    throw new ClientGone()
  }
  return Buffer.concat(chunks)
}
