import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLoopback, type LabChange, type LabState, readLabChange } from '../model/lab.js'
import type { LocalRelay } from './local-relay.js'

/** A change is a line of JSON. */
const BODY_BYTES_MAX = 1_024

/** What the lab asks of relays; the demo's are {@link LocalRelay}s. */
export type LabSubject = Pick<LocalRelay, 'id' | 'line' | 'state' | 'start' | 'kill'>

/** Answers requests of the page's lab: what the relays are, and to change one. */
export class Lab {
  readonly #relays: readonly LabSubject[]
  readonly #stopping: AbortSignal
  readonly #busy = new Set<LabSubject>()
  #isOpen = false

  constructor(relays: readonly LabSubject[], stopping: AbortSignal) {
    this.#relays = relays
    this.#stopping = stopping
  }

  /** Takes changes from now on. Before, one could kill a relay that the demo cannot start without. */
  open(): void {
    this.#isOpen = true
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      checkHost(request)
      if (request.method === 'POST') await this.#change(await readChange(request))
      else if (request.method !== 'GET') throw new LabError(405, 'method-not-allowed', 'only GET and POST')
      send(response, 200, this.#state)
    } catch (error) {
      const { status, code, message } = error instanceof LabError ? error : failed(error)
      if (status === 405) response.setHeader('allow', 'GET, POST')
      // What was not read of the request must not be taken for the next one.
      if (!request.complete) response.setHeader('connection', 'close')
      send(response, status, { error: { code, message } })
    }
  }

  get #state(): LabState {
    return { relays: this.#relays.map(({ state }) => state) }
  }

  async #change(change: LabChange): Promise<void> {
    const relay = this.#relays.find(({ id }) => id === change.relay)
    if (relay === undefined) {
      const known = this.#relays.map(({ id }) => id).join(', ')
      throw new LabError(404, 'unknown-relay', `there is no relay ${change.relay}, only ${known}`)
    }
    if (this.#stopping.aborted) throw new LabError(503, 'stopping', 'the demo is stopping')
    if (!this.#isOpen) throw new LabError(409, 'starting', 'the demo is still starting')
    if ('line' in change) {
      relay.line.mode = change.line
      return
    }
    if (this.#busy.has(relay)) throw new LabError(409, 'busy', `${relay.id} is being started or killed`)
    this.#busy.add(relay)
    try {
      await (change.running ? relay.start(this.#stopping) : relay.kill())
    } finally {
      this.#busy.delete(relay)
    }
  }
}

class LabError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

function failed(error: unknown): LabError {
  return new LabError(500, 'failed', error instanceof Error ? error.message : String(error))
}

/** A page elsewhere can make its own name point to this machine; the name that it then asks for gives it away. */
function checkHost({ headers: { host } }: IncomingMessage): void {
  if (isLoopback(hostnameOf(`http://${host}`))) return
  throw new LabError(403, 'bad-host', 'the lab answers under a loopback name only')
}

/**
 * Browsers tell the origin with every POST, and send JSON to another one only if that allows it, which this does
 * not. Programs of this machine tell none; they could kill a relay anyway.
 */
async function readChange(request: IncomingMessage): Promise<LabChange> {
  const { origin, host, 'content-type': type = '' } = request.headers
  if (origin !== undefined && origin !== `http://${host}`) {
    throw new LabError(403, 'bad-origin', `pages of ${origin} may not use this lab`)
  }
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new LabError(415, 'not-json', 'a change is sent as application/json')
  }
  const change = readLabChange(parse(await readBody(request)))
  if ('wrong' in change) throw new LabError(400, 'bad-change', change.wrong)
  return change
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Without destroying the request at the end, as the answer goes over the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw new LabError(413, 'too-large', `more than ${BODY_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new LabError(400, 'bad-json', 'the body is not JSON')
  }
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : ''
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  })
  response.end(JSON.stringify(body))
}
