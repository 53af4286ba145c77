import { createHash } from 'node:crypto'
import type { Member } from '@skein/paxos'
import type { Hello } from './hello.js'

/** What a relay that belongs to no cluster yet does next. */
export type FormationStep =
  /** These have not been heard from, or have not agreed yet. */
  | { readonly kind: 'wait'; readonly missing: readonly string[] }
  /** Agree to found a cluster of these, and never of others: to be on disk before it is said. */
  | { readonly kind: 'agree'; readonly members: readonly Member[] }
  /** All have agreed. */
  | { readonly kind: 'form'; readonly members: readonly Member[] }
  | { readonly kind: 'conflict'; readonly message: string }

/**
 * A cluster is founded in two steps, as no one may take part in two. First each agrees, for good, to the
 * ids and stores that it heard of from all listed members. When all agreed to the same, each may
 * begin: nobody can found another cluster with any of these stores any more.
 */
export function nextFormationStep(self: Hello, peers: ReadonlyMap<string, Hello>): FormationStep {
  const { founding } = self
  const others = self.listed.filter((id) => id !== self.id)
  const heard = others.flatMap((id) => peers.get(id) ?? [])
  // One that has begun shows that all had agreed.
  if (founding !== undefined && heard.some(({ cluster }) => cluster === clusterOf(founding))) {
    return { kind: 'form', members: founding }
  }
  const missing = others.filter((id) => !peers.has(id))
  if (missing.length > 0) return { kind: 'wait', missing }
  const members = sorted([self, ...heard])
  const cluster = clusterOf(members)
  for (const peer of [self, ...heard]) {
    if (peer.founding === undefined || clusterOf(peer.founding) === cluster) continue
    return { kind: 'conflict', message: conflictOf(peer, members) }
  }
  if (founding === undefined) return { kind: 'agree', members }
  const undecided = heard.filter((peer) => peer.founding === undefined).map(({ id }) => id)
  return undecided.length > 0 ? { kind: 'wait', missing: undecided } : { kind: 'form', members }
}

/** A cluster's name: that of those who founded it, so that all of them know it without being told. */
export function clusterOf(founders: readonly Member[]): string {
  const text = sorted(founders).map(({ id, store }) => `${id}\0${store}`)
  return createHash('sha256').update(text.join('\0\0')).digest('hex').slice(0, 32)
}

function sorted(members: readonly Member[]): readonly Member[] {
  return members.map(({ id, store }) => ({ id, store })).sort((a, b) => (a.id < b.id ? -1 : 1))
}

function conflictOf({ id, founding = [] }: Hello, members: readonly Member[]): string {
  const changed = members.filter(({ id, store }) => founding.find((one) => one.id === id)?.store !== store)
  return (
    `${id} agreed to found a cluster with another store of ${changed.map((member) => member.id).join(', ')}. ` +
    'The cluster never began, or cannot be told from one that did: put the old disk back, or start all members on empty directories'
  )
}
