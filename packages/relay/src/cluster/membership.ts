import { type Configuration, type Member, membersOf } from '@skein/paxos'
import { clusterOf, nextFormationStep } from './formation.js'
import type { Addresses, Hello } from './hello.js'
import { CLUSTER_LIMITS } from './limits.js'
import type { ClusterMeta, ClusterStorage } from './storage.js'

export type RefusalKind = 'foreign-store' | 'other-cluster' | 'other-members' | 'not-a-member'

export interface Refusal {
  readonly kind: RefusalKind
  readonly message: string
}

export interface MembershipOptions {
  readonly store: string
  readonly storage: ClusterStorage
  /** Of the last start, already raised to this one. */
  readonly meta: ClusterMeta
  /** Given by the operator: they outweigh what others tell. */
  readonly peers: Addresses
  readonly formed: (configuration: Configuration) => void
  /** What the others have to hear, or the addresses, changed. */
  readonly changed: () => void
  readonly failed: (error: unknown) => void
  readonly conflict: (message: string) => void
}

/** Which cluster this relay belongs to, and who else: how it comes to one, and whom it refuses. */
export class Membership {
  private meta: ClusterMeta
  private isSaving = false
  private lastConflict: string | undefined
  private readonly heard = new Map<string, Hello>()
  /** Not members yet, but about to become some. */
  private readonly invited = new Set<string>()

  constructor(
    private readonly options: MembershipOptions,
    /** Of the participant once there is one. */
    private readonly configuration: () => Configuration | undefined,
  ) {
    this.meta = options.meta
  }

  get id(): string {
    return this.meta.id
  }

  get cluster(): string | undefined {
    return this.meta.cluster
  }

  /** Whom a cluster that is not formed waits for. */
  get missing(): readonly string[] {
    if (this.meta.cluster !== undefined) return []
    const step = nextFormationStep(this.hello, this.heard)
    return step.kind === 'wait' ? step.missing : []
  }

  get hello(): Hello {
    const { id, listed, founding, cluster } = this.meta
    return { id, store: this.options.store, listed, founding, cluster, addresses: this.addresses }
  }

  get addresses(): Addresses {
    return { ...this.meta.addresses, ...this.options.peers }
  }

  /** The members to be linked with, where it is known where they are. */
  get targets(): ReadonlyMap<string, string> {
    const configuration = this.configuration()
    const ids = configuration === undefined ? this.meta.listed : membersOf(configuration)
    const { addresses } = this
    const known = [...ids, ...this.invited].filter((id) => id !== this.id && addresses[id] !== undefined)
    return new Map(known.map((id) => [id, addresses[id]!]))
  }

  /** Why a relay cannot be talked to; undefined where it can. */
  refusal(peer: Hello): Refusal | undefined {
    if (peer.id === this.id) return refuse('foreign-store', `${peer.id} is this relay's own id`)
    const { cluster } = this.meta
    if (cluster === undefined) return this.refusalBefore(peer)
    const configuration = this.configuration()
    const member = [...(configuration?.members ?? []), ...(configuration?.next ?? [])].find(
      ({ id }) => id === peer.id,
    )
    if (member !== undefined && member.store !== peer.store) return foreignStore(member, peer)
    if (peer.cluster !== undefined && peer.cluster !== cluster) return otherCluster(peer)
    if (member !== undefined || peer.cluster === cluster || this.invited.has(peer.id)) return undefined
    return refuse('not-a-member', `${peer.id} is not a member of this cluster; it is taken in by replace`)
  }

  introduced(peer: Hello): void {
    this.heard.set(peer.id, peer)
    this.learnAddresses(peer.addresses)
    this.advance()
  }

  gone(id: string): void {
    this.heard.delete(id)
  }

  /** Alone, or as far as the others are: goes on towards a cluster. */
  advance(): void {
    if (this.isSaving || this.meta.cluster !== undefined || this.meta.listed.length === 0) return
    const step = nextFormationStep(this.hello, this.heard)
    switch (step.kind) {
      case 'wait':
        break
      case 'agree':
        this.save({ ...this.meta, founding: step.members })
        break
      case 'form': {
        const configuration = { epoch: 1, members: step.members }
        this.save({ ...this.meta, cluster: clusterOf(step.members) }, configuration)
        break
      }
      case 'conflict':
        if (this.lastConflict !== step.message) this.options.conflict(step.message)
        this.lastConflict = step.message
        break
    }
  }

  /** A member installs a configuration here that has this relay in it. */
  install(peer: Hello, configuration: Configuration): void {
    const { store } = this.options
    const all = [...configuration.members, ...(configuration.next ?? [])]
    const isIn = all.some((member) => member.id === this.id && member.store === store)
    if (this.isSaving || this.meta.cluster !== undefined || peer.cluster === undefined || !isIn) return
    // Who agreed to found another cluster belongs to that one.
    if (this.meta.founding !== undefined && clusterOf(this.meta.founding) !== peer.cluster) return
    this.save({ ...this.meta, cluster: peer.cluster }, configuration)
  }

  /** Lets one in that is not a member yet, and tells the members where it is. */
  invite(id: string, url: string): void {
    this.invited.add(id)
    if (this.meta.addresses[id] === url) return
    this.meta = { ...this.meta, addresses: { ...this.meta.addresses, [id]: url } }
    this.saveAddresses()
  }

  uninvite(id: string): void {
    this.invited.delete(id)
    this.options.changed()
  }

  private refusalBefore(peer: Hello): Refusal | undefined {
    const { listed, founding } = this.meta
    if (listed.length === 0) {
      if (peer.cluster !== undefined) return undefined
      return refuse('not-a-member', `${this.id} waits to be taken into a cluster, and ${peer.id} has none`)
    }
    if (!listed.includes(peer.id)) return refuse('not-a-member', `${this.id} does not list ${peer.id}`)
    if (peer.cluster !== undefined) {
      if (founding !== undefined && clusterOf(founding) === peer.cluster) return undefined
      return refuse(
        'foreign-store',
        `${peer.id} is in a cluster already, which does not know the data directory of ${this.id}. If that was ` +
          'lost, start on an empty one under a new id with --join, and call replace',
      )
    }
    if (hasSame(listed, peer.listed)) return undefined
    return refuse(
      'other-members',
      `${peer.id} lists the members ${peer.listed.join(', ') || '(none)'}, ${this.id} lists ${listed.join(', ')}. ` +
        'Give all the same',
    )
  }

  private learnAddresses(told: Addresses): void {
    const { addresses } = this
    const news = Object.entries(told).filter(([id]) => addresses[id] === undefined)
    if (news.length === 0 || Object.keys(addresses).length + news.length > CLUSTER_LIMITS.addressesMax) return
    this.meta = { ...this.meta, addresses: { ...this.meta.addresses, ...Object.fromEntries(news) } }
    this.saveAddresses()
  }

  private saveAddresses(): void {
    // Where a change of more is being saved, that has been put together without them: saved with the next.
    if (!this.isSaving) this.options.storage.save(this.meta).catch(this.options.failed)
    this.options.changed()
  }

  /** What is said to others, and done, follows what is on disk. */
  private save(next: ClusterMeta, configuration?: Configuration): void {
    this.isSaving = true
    this.options.storage.save(next, configuration).then(() => {
      this.isSaving = false
      this.meta = { ...next, addresses: { ...next.addresses, ...this.meta.addresses } }
      if (configuration !== undefined) this.options.formed(configuration)
      this.options.changed()
      this.advance()
    }, this.options.failed)
  }
}

export function hasSame(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join() === [...b].sort().join()
}

function refuse(kind: RefusalKind, message: string): Refusal {
  return { kind, message }
}

function foreignStore({ id, store }: Member, peer: Hello): Refusal {
  return refuse(
    'foreign-store',
    `${id} comes with store ${peer.store}, but the cluster knows it with ${store}: this disk is not the one that ` +
      'holds what it promised. Put that one back, or start it under a new id with --join, and call replace',
  )
}

function otherCluster({ id }: Hello): Refusal {
  return refuse('other-cluster', `${id} belongs to another cluster. Check the addresses of the members`)
}
