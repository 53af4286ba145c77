import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkKey, copyJson, type Json, StateError } from '@skein/sync'
import type * as Y from 'yjs'
import { type LocalReplica, RoomGone, type StateChange } from './local-replica.js'
import { isObject, mergePatch } from './merge-patch.js'
import { HttpError, readJson, sendJson } from './respond.js'
import type { StreamSeats } from './stream-seats.js'

/** How long a write may take to reach the disk before the answer is that nobody knows. */
const WRITE_WITHIN_MS = 10_000
/** Sign of life of an event stream, so that proxies keep it open. */
export const STREAM_BEAT_MS = 15_000
/** Bytes that may wait for the reader of an event stream; beyond, it is ended and may come again. */
const STREAM_BUFFERED_BYTES_MAX = 4 * 1024 * 1024

export const STATE_METHODS = ['GET', 'HEAD', 'PATCH']
export const KEY_METHODS = ['GET', 'HEAD', 'PUT', 'DELETE']

/** `/v1/spaces/:space/state`: the whole state. @throws HttpError */
export async function stateRoute(
  request: IncomingMessage,
  response: ServerResponse,
  replica: LocalReplica,
  streams: StreamSeats,
  isStrong: (key: string) => boolean,
): Promise<void> {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      if (request.method === 'GET' && request.headers.accept?.includes('text/event-stream'))
        return streams.take(() => streamChanges(response, replica))
      sendJson(response, 200, stateOf(replica.map))
      return
    case 'PATCH': {
      const patch = await readJson(request, 'application/merge-patch+json', 'application/json')
      if (!isObject(patch)) throw new HttpError(400, 'bad-value', 'a patch of the state is a JSON object')
      const changes = Object.entries(patch).map(([key, value]): StateChange => {
        checkWritable(key, isStrong)
        if (value === null) return [key, undefined]
        // Checked before, too: merging recurses as deep as the patch is.
        const part = checked(() => copyJson(value))
        return [key, checked(() => copyJson(mergePatch(replica.map.get(key), part)))]
      })
      await write(response, 200, replica, changes)
    }
  }
}

/** `/v1/spaces/:space/state/:key`: one key. @throws HttpError */
export async function keyRoute(
  request: IncomingMessage,
  response: ServerResponse,
  replica: LocalReplica,
  key: string,
  isStrong: (key: string) => boolean,
): Promise<void> {
  checked(() => checkKey(key))
  if (request.method === 'PUT' || request.method === 'DELETE') checkWritable(key, isStrong)
  const value = replica.map.get(key)
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      if (value === undefined) throw new HttpError(404, 'no-such-key', `there is no key "${key}"`)
      sendJson(response, 200, readable(value))
      return
    case 'PUT': {
      const body = await readJson(request, 'application/json')
      const change: StateChange = [key, checked(() => copyJson(body))]
      await write(response, replica.map.has(key) ? 200 : 201, replica, [change])
      return
    }
    case 'DELETE':
      if (value === undefined) throw new HttpError(404, 'no-such-key', `there is no key "${key}"`)
      await write(response, 200, replica, [[key, undefined]])
  }
}

/** Writes, waits for the disk, and answers with the tier that was reached. */
async function write(
  response: ServerResponse,
  status: number,
  replica: LocalReplica,
  changes: readonly StateChange[],
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new HttpError(504, 'unknown', 'the write did not reach the disk in time', 'maybe'))
    }, WRITE_WITHIN_MS)
  })
  try {
    await Promise.race([replica.write(changes), late])
  } catch (error) {
    if (!(error instanceof RoomGone)) throw error
    throw new HttpError(503, 'unavailable', error.message, 'maybe')
  } finally {
    clearTimeout(timer)
  }
  sendJson(response, status, { durability: 'relay' })
}

/** The state now, then each change, as server-sent events until the client or the room goes. */
async function streamChanges(response: ServerResponse, replica: LocalReplica): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const send = (event: string, data: Json) => {
    if (response.writableLength > STREAM_BUFFERED_BYTES_MAX) response.destroy()
    else response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  const tell = (event: Y.YMapEvent<Json>) => {
    for (const key of event.keysChanged) {
      const value = replica.map.get(key)
      if (value === undefined) send('delete', { key })
      else send('set', { key, value: readable(value) })
    }
  }
  send('state', stateOf(replica.map))
  replica.map.observe(tell)
  const beat = setInterval(() => response.write(': beat\n\n'), STREAM_BEAT_MS)
  try {
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    await Promise.race([closed, replica.gone.catch(() => {})])
  } finally {
    clearInterval(beat)
    replica.map.unobserve(tell)
    response.end()
  }
}

function checkWritable(key: string, isStrong: (key: string) => boolean): void {
  checked(() => checkKey(key))
  if (!isStrong(key)) return
  const where = `/v1/spaces/<space>/strong/${encodeURIComponent(key)}`
  throw new HttpError(409, 'strong-key', `the key "${key}" is strong in this space; write it at ${where}`)
}

function checked<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof StateError) throw new HttpError(400, error.code, error.message)
    throw error
  }
}

/** A value as JSON. Other clients may have put things there that are none, which are told as null. */
function readable(value: unknown): Json {
  try {
    return copyJson(value)
  } catch {
    return null
  }
}

function stateOf(map: Y.Map<Json>): Json {
  return Object.fromEntries([...map.entries()].map(([key, value]) => [key, readable(value)]))
}
