import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http'
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
    /** What else the answer holds, beside `error`. */
    readonly more: { readonly [key: string]: Json } = {},
    readonly headers: OutgoingHttpHeaders = {},
  ) {
    super(message)
  }
}

/** The client went away before it had sent its request: nobody is there to answer, and nothing is wrong. */
export class ClientGone extends Error {}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: Json,
  headers: OutgoingHttpHeaders = {},
): void {
  sendText(response, status, JSON.stringify(body), headers)
}

/** Answers with JSON that is text already. */
export function sendText(
  response: ServerResponse,
  status: number,
  json: string,
  headers: OutgoingHttpHeaders = {},
): void {
  const text = `${json}\n`
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(text)
}

export function sendError(response: ServerResponse, error: HttpError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  sendJson(response, error.status, bodyOf(error), error.headers)
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

function bodyOf({ code, message, applied, more }: HttpError): Json {
  return { error: { code, message, applied }, ...more }
}

/** The request's body as JSON. @throws HttpError 400, 413, 415; ClientGone */
export async function readJson(request: IncomingMessage, ...types: string[]): Promise<Json> {
  checkType(request, types)
  return parsed(await readBody(request))
}

/** The same, for bodies that are small and many. @throws HttpError 400, 413, 415; ClientGone */
export async function readSmallJson(request: IncomingMessage, bytesMax: number): Promise<Json> {
  checkType(request, ['application/json'])
  return parsed(await readSmallBody(request, bytesMax))
}

function checkType(request: IncomingMessage, types: readonly string[]): void {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? types[0]!
  // Pages can send some types anywhere without being asked; JSON is not one of them.
  if (!types.includes(type)) {
    throw new HttpError(415, 'unsupported-type', `the body must be ${types.join(' or ')}, not ${type}`)
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

function parsed(body: Buffer): Json {
  try {
    return JSON.parse(UTF8.decode(body)) as Json
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

function readSmallBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) chunks.push(chunk)
      // The rest is read and dropped, so that the answer gets through.
      else reject(new HttpError(413, 'too-large', `the body is over ${bytesMax} bytes`))
    })
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.on('error', () => reject(new ClientGone()))
    request.on('close', () => {
      // It comes after the end, too.
      if (!request.complete) reject(new ClientGone())
    })
  })
}
