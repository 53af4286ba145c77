import { NEGOTIATION_PARAM, type ProtocolError, spaceNameFromPath } from '@skein/protocol'
import { SkeinError } from '../errors.js'

/** Which space the URL of a provider asks for, and at which relays. */
export interface Address {
  readonly space: string
  /** The relays of the list, with the parameters of the URL. */
  readonly relays: readonly string[]
}

/**
 * Reads the URL that a provider makes of a server, a room and parameters. The room is what follows the URL of a
 * relay of the list, or, where none of them begins it, the whole path.
 * @throws SkeinError `bad-space-name`
 */
export function addressOf(url: string | URL, relays: readonly string[]): Address {
  const { host, pathname, searchParams } = parsed(url)
  const bases = relays
    .map((relay) => new URL(relay))
    .filter((relay) => relay.host === host)
    .map((relay) => relay.pathname.replace(/\/+$/, ''))
    .filter((base) => pathname.startsWith(`${base}/`))
  const base = bases.reduce((longest, other) => (other.length > longest.length ? other : longest), '')
  try {
    const space = spaceNameFromPath(pathname.slice(base.length))
    return { space, relays: relays.map((relay) => withParameters(relay, searchParams)) }
  } catch (cause) {
    throw new SkeinError('bad-space-name', `"${url}": ${(cause as ProtocolError).message}`, { cause })
  }
}

function parsed(url: string | URL): URL {
  try {
    return new URL(url)
  } catch (cause) {
    throw new SkeinError('bad-space-name', `"${url}" is not a URL, so it names no room`, { cause })
  }
}

function withParameters(relay: string, parameters: URLSearchParams): string {
  const url = new URL(relay)
  for (const [name, value] of parameters) {
    if (name !== NEGOTIATION_PARAM) url.searchParams.set(name, value)
  }
  return url.href
}
