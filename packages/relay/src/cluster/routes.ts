import type { IncomingMessage, ServerResponse } from 'node:http'
import { PAXOS_LIMITS } from '@skein/paxos'
import type { Json } from '@skein/sync'
import { HttpError, readJson, sendJson } from '../http/respond.js'
import { isLoopback } from '../options.js'
import type { Cluster } from './cluster.js'
import { isAddress, isMemberId } from './hello.js'
import { ReplaceError, type ReplaceErrorCode, type ReplaceRequest } from './replace.js'
import type { ClusterStatus } from './status.js'

export const CLUSTER_METHODS: { readonly [path: string]: readonly string[] | undefined } = {
  '/v1/cluster': ['GET', 'HEAD'],
  '/v1/cluster/members': ['POST'],
}

const STATUS: Record<ReplaceErrorCode, number> = {
  'bad-change': 400,
  'other-change': 409,
  'no-such-member': 409,
  'not-formed': 503,
  unfinished: 504,
}

/** `/v1/cluster` and `/v1/cluster/members`, for the operator on this machine. @throws HttpError */
export async function clusterRoute(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  cluster: Cluster,
): Promise<void> {
  if (path === '/v1/cluster') return sendJson(response, 200, asJson(cluster.status))
  const from = request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? ''
  if (!isLoopback(from) || request.headers.origin !== undefined) {
    throw new HttpError(403, 'not-local', 'members are changed from this machine only, and by no page')
  }
  const body = readRequest(await readJson(request, 'application/json'))
  try {
    sendJson(response, 200, asJson(await cluster.replace(body)))
  } catch (error) {
    if (!(error instanceof ReplaceError)) throw error
    const applied = error.code === 'unfinished' ? 'maybe' : 'no'
    throw new HttpError(STATUS[error.code], error.code, error.message, applied)
  }
}

/** What `/readyz` says of it. */
export function summaryOf({ memberId, formed, failed, epoch, members, connected }: ClusterStatus): Json {
  return { memberId, formed, failed, epoch, members: members.map(({ id }) => id), connected: [...connected] }
}

function readRequest(body: Json): ReplaceRequest {
  const { remove, add } = Object(body) as { remove?: unknown; add?: unknown }
  const { id, url } = Object(add) as { id?: unknown; url?: unknown }
  const isWhole =
    (remove === undefined || isMemberId(remove)) &&
    (add === undefined || (isMemberId(id) && isAddress(url))) &&
    !(remove === undefined && add === undefined)
  if (!isWhole) {
    const example = '{"remove": "r2", "add": {"id": "r4", "url": "ws://127.0.0.1:4004"}}'
    throw new HttpError(
      400,
      'bad-value',
      `the body is like ${example}; at most ${PAXOS_LIMITS.membersMax} members`,
    )
  }
  return {
    ...(remove === undefined ? {} : { remove: remove as string }),
    ...(add === undefined ? {} : { add: { id: id as string, url: url as string } }),
  }
}

function asJson(status: ClusterStatus): Json {
  return JSON.parse(JSON.stringify(status)) as Json
}
