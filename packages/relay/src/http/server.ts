import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { HttpError, rawError } from './respond.js'

/** How long a client may take to send its request; longer ones hold a connection for nothing. */
export interface RequestTimes {
  readonly headersMs: number
  /** All of it, with its body. */
  readonly requestMs: number
  /** How often that is checked. */
  readonly checkMs: number
}

const TIMES: RequestTimes = { headersMs: 15_000, requestMs: 60_000, checkMs: 5_000 }

/** An HTTP server that answers what it cannot parse, or waited for in vain, in the shape of all errors. */
export function createHttpServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  times: RequestTimes = TIMES,
): Server {
  const unanswered = new WeakMap<Duplex, Set<ServerResponse>>()
  const options = {
    headersTimeout: times.headersMs,
    requestTimeout: times.requestMs,
    connectionsCheckingInterval: times.checkMs,
    // The router says so itself, with a body.
    requireHostHeader: false,
  }
  const server = createServer(options, (request, response) => {
    const responses = unanswered.get(request.socket) ?? new Set()
    unanswered.set(request.socket, responses.add(response))
    response.once('close', () => responses.delete(response))
    answer(request, response)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const others = [...(unanswered.get(socket) ?? [])].filter(isOther)
    // While another answer is due this one would be taken for it, or for a part of it.
    if (others.length > 0 || !socket.writable || error.code === 'ECONNRESET') socket.destroy()
    else socket.end(rawError(whatIsWrong(error)), () => socket.destroy())
  })
  return server
}

/** Whether this is not the response to the request that is broken, which is still being read. */
function isOther({ headersSent, req }: ServerResponse): boolean {
  return headersSent || req.complete
}

/** Answers a request to upgrade that no WebSocket can be made of. */
export function refuseUpgrade(socket: Duplex, reason: string): void {
  const what = `this cannot be upgraded to a WebSocket (${reason}); send a plain request without "Upgrade"`
  socket.end(rawError(new HttpError(400, 'bad-request', what)), () => socket.destroy())
}

function whatIsWrong({ code }: NodeJS.ErrnoException): HttpError {
  if (code === 'HPE_HEADER_OVERFLOW') return new HttpError(431, 'too-large', 'the headers are too large')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new HttpError(408, 'too-slow', 'the request did not arrive in time')
  }
  return new HttpError(400, 'bad-request', 'this is not a request of HTTP/1.1')
}
