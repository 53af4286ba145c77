/** What the page's URL says: `?agent=Tablet&relay=ws://...,ws://...|none&space=home&offline=1`. */
export interface Parameters {
  /** What others see this agent as. */
  readonly name: string
  readonly space: string
  /** In order of preference; empty for a home that lives on this device only. */
  readonly relays: readonly string[]
  readonly startOffline: boolean
}

/** Wild geese and their neighbours at the water; a skein is a flock of them in flight. */
const NAMES = [
  'Barnacle',
  'Brent',
  'Curlew',
  'Eider',
  'Gadwall',
  'Greylag',
  'Heron',
  'Lapwing',
  'Pintail',
  'Plover',
  'Teal',
  'Wigeon',
]

const ROLES = ['Tablet', 'Phone', 'Laptop', 'Bedside', 'Desk']
const NAME_STORAGE_KEY = 'skein-demo-agent'

export function readParameters(): Parameters {
  const query = new URLSearchParams(location.search)
  return {
    name: query.get('agent')?.trim() || rememberedName(),
    space: query.get('space')?.trim() || 'home',
    relays: readRelays(query.get('relay')),
    startOffline: query.get('offline') === '1',
  }
}

/** The address of this page for another agent: all the same but its name. */
export function addressFor(name: string): string {
  const url = new URL(location.href)
  url.searchParams.set('agent', name)
  url.searchParams.delete('offline')
  url.hash = ''
  return url.href
}

/** A name for one more agent, that none of the present ones has. */
export function freeName(taken: readonly string[]): string {
  const free = [...ROLES, ...NAMES].find((name) => !taken.includes(name))
  return free ?? `Agent ${taken.length + 1}`
}

function readRelays(given: string | null): readonly string[] {
  if (given === 'none') return []
  if (given) return given.split(',').map((url) => url.trim())
  const ports = (import.meta.env.VITE_RELAY_PORTS ?? '1234').split(',')
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  return ports.map((port: string) => `${scheme}://${location.hostname}:${port}`)
}

/** One name per tab, the same after a reload. */
function rememberedName(): string {
  const name = NAMES[Math.floor(Math.random() * NAMES.length)]!
  try {
    const stored = sessionStorage.getItem(NAME_STORAGE_KEY)
    if (!stored) sessionStorage.setItem(NAME_STORAGE_KEY, name)
    return stored ?? name
  } catch {
    return name
  }
}
