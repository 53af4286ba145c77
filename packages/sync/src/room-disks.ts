import { encodeFrame } from '@skein/protocol'
import type { Effects, MemberId } from './room-effects.js'
import type { Member } from './room-member.js'
import { quorumPosition, type RelayCluster } from './room-relay.js'

/** Up to where a room is on which disks, and which members are told of that. */
export class RoomDisks {
  /** Whether members were told that `quorum` is confirmed. */
  confirmsQuorum: boolean
  /** A majority of the cluster has everything up to here on disk. */
  private quorumPosition = -1
  /** The configuration that `quorumPosition` is of. */
  private configuration: string | undefined

  /** @param committedPosition everything up to here is on this relay's disk */
  constructor(
    private readonly members: ReadonlyMap<MemberId, Member>,
    private readonly cluster: RelayCluster | undefined,
    public committedPosition: number,
  ) {
    this.configuration = cluster?.configuration
    this.confirmsQuorum = cluster?.isShared === true
  }

  /** A member waits for a numbered update, which is safe when this position is on disk. */
  wait(member: Member, seq: number, position: number): void {
    member.awaitAcknowledgement(seq, position)
    // Another relay wants to know of this one's disk alone.
    if (this.confirmsQuorum && member.relay === undefined) member.awaitQuorum(seq, position)
  }

  /** Everything up to this position is on this relay's disk. */
  committed(position: number): void {
    this.committedPosition = Math.max(this.committedPosition, position)
  }

  /** Tells members what is safe by now. */
  tell(effects: Effects): void {
    if (this.cluster !== undefined) this.checkQuorum(effects)
    else for (const [id, member] of this.members) this.acknowledge(id, member, effects)
  }

  /** Others may make up the cluster. True where members have to be told whether `quorum` is confirmed. */
  clusterChanged(effects: Effects): boolean {
    const { cluster } = this
    if (cluster === undefined) return false
    if (cluster.configuration !== this.configuration) {
      this.configuration = cluster.configuration
      // Who had all of it on disk may be no member any more.
      this.quorumPosition = -1
      this.checkQuorum(effects)
    }
    if (cluster.isShared === this.confirmsQuorum) return false
    this.confirmsQuorum = cluster.isShared
    return true
  }

  /** Another relay has more on its disk, or is no member any more. */
  checkQuorum(effects: Effects): void {
    const { cluster } = this
    if (cluster === undefined) return
    const relays = [...this.members.values()].flatMap(({ relay }) => relay ?? [])
    const own = { id: cluster.self, position: this.committedPosition }
    this.quorumPosition = Math.max(this.quorumPosition, quorumPosition(own, relays, cluster))
    for (const [id, member] of this.members) this.acknowledge(id, member, effects)
  }

  acknowledge(id: MemberId, member: Member, effects: Effects): void {
    for (const { from, to } of member.takeAcknowledged(this.committedPosition)) {
      effects.sendTo([id], encodeFrame({ type: 'ack', from, to, tier: 'relay' }))
      effects.acknowledgements++
    }
    for (const { from, to } of member.takeQuorum(this.quorumPosition)) {
      effects.sendTo([id], encodeFrame({ type: 'ack', from, to, tier: 'quorum' }))
    }
  }
}
