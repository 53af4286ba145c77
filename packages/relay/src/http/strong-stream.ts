import type { ServerResponse } from 'node:http'
import type { Entry } from '@skein/paxos'
import type { ExecuteOptions } from '../strong/region.js'
import type { StrongSpaces } from '../strong/spaces.js'
import { STREAM_BEAT_MS } from './state-routes.js'
import { entryText, toHttp } from './strong-answer.js'

/** The entry now, then each that is decided, as server-sent events; a slow reader gets the newest only. */
export async function streamEntries(
  response: ServerResponse,
  spaces: StrongSpaces,
  space: string,
  key: string,
  options: ExecuteOptions,
): Promise<void> {
  let newest: Entry | undefined
  const send = () => {
    if (newest === undefined || response.writableNeedDrain || !response.headersSent) return
    const entry = newest
    newest = undefined
    const event = entry.value === undefined ? 'delete' : 'set'
    response.write(`event: ${event}\nid: ${entry.version}\ndata: ${entryText(entry)}\n\n`)
  }
  const told = (entry: Entry) => {
    newest = entry
    send()
  }
  const unwatch = await spaces.watch(space, key, told, () => response.end(), options).catch(toHttp)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.on('drain', send)
  response.flushHeaders()
  send()
  const beat = setInterval(() => response.write(': beat\n\n'), STREAM_BEAT_MS)
  try {
    if (!response.closed) await new Promise<void>((resolve) => response.once('close', resolve))
  } finally {
    clearInterval(beat)
    unwatch()
  }
}
