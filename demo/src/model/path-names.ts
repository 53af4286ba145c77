import type { PathStatus } from '@skein/agent'
import { type LabState, labRelayAt } from './lab.js'

/** Names paths for people: by the relay's id where the lab knows it, else by what tells it from the others. */
export class PathNames {
  readonly #lab: LabState | undefined
  readonly #short: (url: URL) => string

  /** `relays` are those of the page, `lab` those that were started with it. */
  constructor(relays: readonly string[], lab: LabState | undefined) {
    const hosts = new Set(relays.flatMap((relay) => addressOf(relay)?.hostname ?? []))
    this.#lab = lab
    this.#short = shortener(relays.length, hosts.size)
  }

  /** E.g. `r1`, `relay :4001`, `relay a.example.org`, `other tabs`. */
  of({ kind, url }: Pick<PathStatus, 'kind' | 'url'>): string {
    if (kind === 'tab' || url === '') return 'other tabs'
    const relay = labRelayAt(this.#lab, url)
    if (relay !== undefined) return relay.id
    const address = addressOf(url)
    if (address === undefined) return url
    const short = this.#short(address)
    const noun = kind === 'server' ? 'server' : 'relay'
    return short === '' ? noun : `${noun} ${short}`
  }

  /** Of a path that is only known by its URL, as in a switch. */
  ofUrl(url: string): string {
    return this.of({ kind: url === '' ? 'tab' : 'relay', url })
  }
}

/** As little of the address as tells one from the others: nothing, the port, the host. */
function shortener(relayCount: number, hostCount: number): (url: URL) => string {
  if (relayCount < 2) return () => ''
  if (hostCount < 2) return (url) => (url.port === '' ? url.hostname : `:${url.port}`)
  return hostCount < relayCount ? (url) => url.host : (url) => url.hostname
}

function addressOf(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined
}
