import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkSpaceName, ProtocolError } from '@skein/protocol'
import type { Cluster } from '../cluster/cluster.js'
import { CLUSTER_METHODS, clusterRoute, summaryOf } from '../cluster/routes.js'
import type { Metrics } from '../metrics.js'
import { isHostAllowed, isOriginAllowed } from '../options.js'
import type { StrongSpaces } from '../strong/spaces.js'
import { RoomGone } from './local-replica.js'
import { type Replicas, TooManyReplicas } from './replicas.js'
import { ClientGone, HttpError, sendError, sendJson } from './respond.js'
import { KEY_METHODS, keyRoute, STATE_METHODS, stateRoute } from './state-routes.js'
import type { StreamSeats } from './stream-seats.js'
import {
  DECLARATION_METHODS,
  DEFAULT_METHODS,
  declarationRoute,
  defaultRoute,
  STRONG_METHODS,
  strongRoute,
} from './strong-routes.js'

export interface RouterOptions {
  readonly replicas: Replicas
  /** Undefined: there is no strong region, and no path to it. */
  readonly strong: StrongSpaces | undefined
  readonly metrics: Metrics
  readonly cluster: Cluster
  readonly streams: StreamSeats
  /** Origins that are served besides this machine's; their hosts may be asked for. */
  readonly origins: readonly string[]
  /** Whether new work is taken; false while the relay stops. */
  readonly isReady: () => boolean
  readonly onError: (error: unknown) => void
}

/** Answers the plain HTTP requests of a relay. Rules: SPEC.md, H1 to H24. */
export function createRouter(options: RouterOptions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await route(options, request, response)
    } catch (error) {
      if (error instanceof ClientGone) response.destroy()
      else sendError(response, asHttpError(error, options.onError))
    }
  }
}

async function route(
  options: RouterOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origins, strong } = options
  checkHost(request, origins)
  const { url = '/', method } = request
  const end = url.indexOf('?')
  const path = end < 0 ? url : url.slice(0, end)
  // Some requests pages can send anywhere without being asked.
  if (method === 'POST') checkOrigin(request, origins)
  const match = PATH.exec(path)
  if (match !== null) {
    const space = decoded(match[1]!)
    const key = match[3] === undefined ? undefined : decoded(match[3])
    checkSpaceName(space)
    if (match[2] === 'state') return spaceRoute(options, request, response, space, key)
    if (strong !== undefined) return strongSpaceRoute(options, strong, request, response, space, key)
  }
  if (path !== '/state' || strong === undefined) return operationsRoute(options, request, response, path)
  checkMethod(request, response, DEFAULT_METHODS)
  checkReady(options)
  return defaultRoute(request, response, strong)
}

const PATH = /^\/v1\/spaces\/([^/]+)\/(state|strong)(?:\/([^/]+))?$/

async function spaceRoute(
  options: RouterOptions,
  request: IncomingMessage,
  response: ServerResponse,
  space: string,
  key: string | undefined,
): Promise<void> {
  // Before anything of the space is loaded for it.
  checkMethod(request, response, key === undefined ? STATE_METHODS : KEY_METHODS)
  checkReady(options)
  const isStrong = (name: string) => options.strong?.isStrong(space, name) === true
  await options.replicas.use(space, (replica) =>
    key === undefined
      ? stateRoute(request, response, replica, options.streams, isStrong)
      : keyRoute(request, response, replica, key, isStrong),
  )
}

function strongSpaceRoute(
  options: RouterOptions,
  strong: StrongSpaces,
  request: IncomingMessage,
  response: ServerResponse,
  space: string,
  key: string | undefined,
): Promise<void> {
  checkMethod(request, response, key === undefined ? DECLARATION_METHODS : STRONG_METHODS)
  checkReady(options)
  return key === undefined
    ? declarationRoute(request, response, strong, space)
    : strongRoute(request, response, strong, options.streams, space, key)
}

/** What those who run a relay ask for. @throws HttpError */
async function operationsRoute(
  { metrics, cluster, isReady }: RouterOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const clusterMethods = CLUSTER_METHODS[path]
  if (clusterMethods !== undefined) {
    checkMethod(request, response, clusterMethods)
    return clusterRoute(request, response, path, cluster)
  }
  if (!['/healthz', '/readyz', '/metrics'].includes(path)) {
    throw new HttpError(404, 'no-such-path', 'this is a Skein relay; there is /v1/spaces/<space>/state')
  }
  checkMethod(request, response, ['GET', 'HEAD'])
  if (path === '/healthz') return sendJson(response, 200, { status: 'ok' })
  if (path === '/readyz') {
    const status = isReady() ? 'ready' : 'stopping'
    return sendJson(response, isReady() ? 200 : 503, { status, cluster: summaryOf(cluster.status) })
  }
  response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.text())
}

function checkHost({ httpVersion, headers }: IncomingMessage, origins: readonly string[]): void {
  if (headers.host === undefined && httpVersion === '1.1') {
    throw new HttpError(400, 'bad-request', 'the request has no Host header')
  }
  // A page can make its own name point to this machine; the name it then asks for gives it away.
  if (!isHostAllowed(headers.host, origins)) {
    throw new HttpError(
      403,
      'bad-host',
      'this relay answers under a loopback name or the host of an --origin',
    )
  }
}

function checkOrigin({ headers: { origin } }: IncomingMessage, origins: readonly string[]): void {
  if (isOriginAllowed(origin, origins)) return
  throw new HttpError(403, 'bad-origin', `pages of ${origin} may not write to this relay`)
}

function checkReady({ isReady }: RouterOptions): void {
  if (!isReady()) throw new HttpError(503, 'unavailable', 'the relay is stopping')
}

function checkMethod(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): void {
  if (allowed.includes(request.method ?? '')) return
  response.setHeader('allow', allowed.join(', '))
  throw new HttpError(405, 'method-not-allowed', `only ${allowed.join(', ')} are possible here`)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new HttpError(400, 'bad-path', 'the path is not valid percent-encoded UTF-8')
  }
}

function asHttpError(error: unknown, onError: (error: unknown) => void): HttpError {
  if (error instanceof HttpError) return error
  if (error instanceof ProtocolError) return new HttpError(400, 'bad-space-name', error.message)
  if (error instanceof RoomGone || error instanceof TooManyReplicas) {
    return new HttpError(503, 'unavailable', error.message)
  }
  onError(error)
  return new HttpError(500, 'internal', 'the relay failed on this request', 'maybe')
}
