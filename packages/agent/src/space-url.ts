import { NEGOTIATION_PARAM, NEGOTIATION_VALUE, spaceNameToPath } from '@skein/protocol'
import { SkeinError } from './errors.js'

/** The WebSocket URL of a space at a relay. @throws SkeinError `bad-relay-url` */
export function spaceUrl(relay: string, space: string): string {
  let url: URL
  try {
    url = new URL(relay)
  } catch (cause) {
    throw new SkeinError('bad-relay-url', `"${relay}" is not a URL; a relay is given as ws://host:port`, {
      cause,
    })
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new SkeinError('bad-relay-url', `"${relay}" is not a ws: or wss: URL`)
  }
  url.hash = ''
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${spaceNameToPath(space)}`
  url.searchParams.set(NEGOTIATION_PARAM, NEGOTIATION_VALUE)
  return url.href
}
