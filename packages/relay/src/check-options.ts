import { PAXOS_LIMITS } from '@skein/paxos'
import { LIMITS } from '@skein/protocol'
import { isAddress, isMemberId } from './cluster/hello.js'
import { RelayError } from './errors.js'
import {
  type ClusterOptions,
  DEFAULT_LIMITS,
  isLoopback,
  type RelayLimits,
  type RelayOptions,
} from './options.js'
import { checkPrefixes } from './strong/check.js'
import { StrongError } from './strong/strong-error.js'

/** Checks what a relay is started with. @throws RelayError `bad-option`, which names the option */
export function checkOptions(options: RelayOptions): void {
  const { host, port, dataDir, log, origins = [], limits = {}, cluster = {}, strong = [] } = options
  if (host !== undefined && !isLoopback(host)) throw bad(`host ${notLoopback(host)}`)
  if (port !== undefined && !isPort(port)) throw bad(`port ${port} is not a number from 0 to 65535`)
  if (dataDir === '') throw bad('dataDir is empty; name a directory')
  if (dataDir !== undefined && log !== undefined) throw bad('give either dataDir or log, not both')
  for (const origin of origins) {
    if (!isOrigin(origin)) throw bad(`origins: ${notAnOrigin(origin)}`)
  }
  checkCluster(cluster)
  checkStrong(strong)
  checkLimits({ ...DEFAULT_LIMITS, ...limits })
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535
}

/** Whether a browser could send this as the `Origin` of a page; anything else would never match. */
export function isOrigin(text: string): boolean {
  if (text === 'null') return true
  if (!URL.canParse(text)) return false
  const { origin } = new URL(text)
  // The URLs of apps and extensions have no origin of their own there, but browsers send one.
  return origin === 'null' ? /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@]+$/.test(text) : origin === text
}

export function notLoopback(host: string): string {
  return `"${host}" is not a loopback address. This relay has no access keys, so it listens on this machine only; put a proxy that checks access in front of it.`
}

export function notAnOrigin(origin: string): string {
  return `"${origin}" is not an origin, which is a scheme and a host and nothing after them, like https://home.example`
}

/** Whether it can stand in front of keys; the empty one would stand in front of all. */
export function isStrongPrefix(prefix: string): boolean {
  return (
    prefix !== '' && Buffer.byteLength(prefix) <= STRONG_PREFIX_BYTES_MAX && !/\p{Surrogate}/u.test(prefix)
  )
}

export function notAPrefix(prefix: string): string {
  return `"${prefix}" is not what keys can begin with, which is a text of 1 to ${STRONG_PREFIX_BYTES_MAX} bytes, like lock/`
}

export function notAMemberId(id: string): string {
  return `"${id}" is not a member's id: up to 64 letters, digits, dots, dashes and underscores, such as r1`
}

export function notAnAddress(url: string): string {
  return `"${url}" is not where a relay listens, such as ws://127.0.0.1:4002`
}

const STRONG_PREFIX_BYTES_MAX = 128

function checkCluster({ id, peers = {}, join = false }: ClusterOptions): void {
  const others = Object.entries(peers)
  if (id !== undefined && !isMemberId(id)) throw bad(`cluster.id: ${notAMemberId(id)}`)
  if ((others.length > 0 || join) && id === undefined)
    throw bad('cluster.id is missing; give this relay its own')
  if (others.length > 0 && join) throw bad('cluster: give either peers or join; who joins is told the others')
  for (const [peer, url] of others) {
    if (!isMemberId(peer)) throw bad(`cluster.peers: ${notAMemberId(peer)}`)
    if (peer === id) throw bad(`cluster.peers: ${peer} is this relay itself; name the others only`)
    if (!isAddress(url)) throw bad(`cluster.peers.${peer}: ${notAnAddress(url)}`)
  }
  if (others.length >= PAXOS_LIMITS.membersMax) {
    throw bad(
      `cluster.peers: a cluster has at most ${PAXOS_LIMITS.membersMax} members; three or five are enough`,
    )
  }
}

/** The longest time a timer can wait for; a longer one would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

function checkStrong(prefixes: readonly string[]): void {
  try {
    checkPrefixes(prefixes)
  } catch (error) {
    throw error instanceof StrongError ? bad(`strong: ${error.message}`) : error
  }
}

function checkLimits(limits: RelayLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!(Number.isSafeInteger(value) && value > 0)) {
      throw bad(`limits.${name} must be a whole number above 0, not ${value}`)
    }
    if (name.endsWith('Ms'))
      atMost(limits, name as keyof RelayLimits, TIMER_MS_MAX, 'as long as a timer runs')
  }
  const { bufferedBytesHigh, bufferedBytesMax } = limits
  atMost(limits, 'frameBytesMax', LIMITS.frameBytesMax, 'the limit of the protocol')
  atMost(limits, 'updateBytesMax', LIMITS.updateBytesMax, 'the limit of the protocol')
  if (bufferedBytesHigh >= bufferedBytesMax) {
    throw bad(
      `limits.bufferedBytesHigh (${bufferedBytesHigh}) must be below bufferedBytesMax (${bufferedBytesMax})`,
    )
  }
}

function atMost(limits: RelayLimits, name: keyof RelayLimits, max: number, why: string): void {
  if (limits[name] > max) throw bad(`limits.${name} (${limits[name]}) must be at most ${max}, ${why}`)
}

function bad(message: string): RelayError {
  return new RelayError('bad-option', message)
}
