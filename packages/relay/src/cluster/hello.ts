import { type Member, PAXOS_LIMITS } from '@skein/paxos'
import { MalformedBytes } from './bytes.js'
import { CLUSTER_LIMITS } from './limits.js'

/** What a member says of itself, first on every link, and again when it changes. */
export interface Hello {
  readonly id: string
  /** Where its promises are. */
  readonly store: string
  /** The members that its operator listed, itself included. Empty where it waits to be taken into a cluster. */
  readonly listed: readonly string[]
  /** What it agreed to found with the others, on its disk. Until it is formed it may not take part. */
  readonly founding: readonly Member[] | undefined
  /** Names the cluster that it belongs to; undefined while it belongs to none. */
  readonly cluster: string | undefined
  /** Where members listen, by id. */
  readonly addresses: Addresses
}

export type Addresses = { readonly [id: string]: string }

export function encodeHello(hello: Hello): string {
  return JSON.stringify(hello)
}

/** @throws MalformedBytes */
export function decodeHello(text: string): Hello {
  const hello = parse(text)
  const { id, store, listed, founding, cluster, addresses } = hello
  if (
    !isMemberId(id) ||
    !isText(store, CLUSTER_LIMITS.storeIdBytesMax) ||
    !isList(listed, isMemberId) ||
    !(founding === undefined || isList(founding, isMember)) ||
    !(cluster === undefined || isText(cluster, CLUSTER_LIMITS.storeIdBytesMax)) ||
    !isAddresses(addresses)
  ) {
    throw new MalformedBytes('the hello is not one')
  }
  return {
    id,
    store,
    listed,
    founding: founding?.map((member) => ({ id: member.id, store: member.store })),
    cluster,
    addresses: Object.fromEntries(Object.entries(addresses)),
  }
}

/** Letters, digits, dot, dash and underscore: it is shown in addresses, options and logs. */
export function isMemberId(id: unknown): id is string {
  return typeof id === 'string' && /^[a-z\d][\w.-]{0,63}$/i.test(id)
}

export function isAddress(url: unknown): url is string {
  if (!isText(url, CLUSTER_LIMITS.addressBytesMax) || !URL.canParse(url)) return false
  const { protocol, pathname, search, hash } = new URL(url)
  return (protocol === 'ws:' || protocol === 'wss:') && pathname === '/' && search === '' && hash === ''
}

function parse(text: string): Partial<Record<keyof Hello, unknown>> {
  try {
    return Object(JSON.parse(text))
  } catch {
    throw new MalformedBytes('the hello is not JSON')
  }
}

function isText(value: unknown, bytesMax: number): value is string {
  return typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= bytesMax
}

function isMember(value: unknown): value is Member {
  const { id, store } = Object(value)
  return isMemberId(id) && isText(store, CLUSTER_LIMITS.storeIdBytesMax)
}

function isList<T>(value: unknown, is: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.length <= PAXOS_LIMITS.membersMax && value.every(is)
}

function isAddresses(value: unknown): value is Addresses {
  if (typeof value !== 'object' || value === null) return false
  const entries = Object.entries(value)
  return (
    entries.length <= CLUSTER_LIMITS.addressesMax &&
    entries.every(([id, url]) => isMemberId(id) && isAddress(url))
  )
}
