import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'

/** The protocol version that this package speaks. */
export const PROTOCOL_VERSION = 1

/**
 * The first message of a Skein connection, each way (type 64). Who speaks, which versions it
 * understands, and what it accepts. Both sides go on with the highest version both understand.
 */
export interface HelloMessage {
  readonly type: 'hello'
  readonly versionMin: number
  readonly versionMax: number
  /** The agent's or relay's own id, chosen at random when it was created. */
  readonly id: string
  /** Largest frame the sender accepts, in bytes. */
  readonly frameBytesMax: number
  /** Largest update the sender accepts, in bytes. */
  readonly updateBytesMax: number
  /** Names of optional abilities; unknown ones are ignored. */
  readonly features: readonly string[]
  /**
   * Names the history of the space that the sender has a replica of, chosen at random when its first
   * update came; empty where it has none yet. Replicas of different epochs must not be merged.
   */
  readonly epoch: string
}

/** The feature of a peer that takes messages in chunks. */
export const CHUNKS_FEATURE = 'chunks'

/** The feature of a relay that also acknowledges what a majority of its cluster has on disk. */
export const QUORUM_FEATURE = 'quorum'

/** The feature of a relay that takes strong requests. */
export const STRONG_FEATURE = 'strong'

/** Its sender lets others stand by, and tells them of news meanwhile. */
export const STANDBY_FEATURE = 'standby'

export const HELLO_ID = 64

export function encodeHello(encoder: encoding.Encoder, message: HelloMessage): void {
  encoding.writeVarUint(encoder, message.versionMin)
  encoding.writeVarUint(encoder, message.versionMax)
  encoding.writeVarString(encoder, message.id)
  encoding.writeVarUint(encoder, message.frameBytesMax)
  encoding.writeVarUint(encoder, message.updateBytesMax)
  encoding.writeVarUint(encoder, message.features.length)
  for (const feature of message.features) encoding.writeVarString(encoder, feature)
  encoding.writeVarString(encoder, message.epoch)
}

export function decodeHello(reader: Reader): HelloMessage {
  const versionMin = reader.varUint()
  const versionMax = reader.varUint()
  if (versionMin > versionMax) {
    throw new ProtocolError('malformed', `version range ${versionMin} to ${versionMax}`)
  }
  const id = reader.varString(LIMITS.idBytesMax, 'id')
  const frameBytesMax = reader.varUint()
  const updateBytesMax = reader.varUint()
  const count = reader.varUintMax(LIMITS.featuresMax, 'features')
  const features: string[] = []
  for (let i = 0; i < count; i++) features.push(reader.varString(LIMITS.idBytesMax, 'feature'))
  const epoch = reader.varString(LIMITS.epochBytesMax, 'epoch')
  return { type: 'hello', versionMin, versionMax, id, frameBytesMax, updateBytesMax, features, epoch }
}

/** The version two hellos agree on, or undefined where their ranges don't meet. */
export function agreedVersion(a: VersionRange, b: VersionRange): number | undefined {
  const version = Math.min(a.versionMax, b.versionMax)
  return version >= Math.max(a.versionMin, b.versionMin) ? version : undefined
}

type VersionRange = Pick<HelloMessage, 'versionMin' | 'versionMax'>
