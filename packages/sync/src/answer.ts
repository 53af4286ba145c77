import { encodeFrame } from '@skein/protocol'
import * as Y from 'yjs'
import { EMPTY_UPDATE, mergeUpdates } from './merge.js'
import type { AnswerRequest } from './room-effects.js'

/**
 * The frames that bring somebody up to date, from content in pieces, oldest first. Who has nothing gets
 * the pieces as they are, which costs nothing; anybody else the part of each that it lacks. All but the
 * last go as updates, for a stock client is synchronised with its first step 2.
 */
export function answerFrames(
  pieces: readonly Uint8Array[],
  { kind, stateVector }: Pick<AnswerRequest, 'kind' | 'stateVector'>,
): Uint8Array[] {
  const hasNothing = stateVector.length === 1 && stateVector[0] === 0
  const updates = hasNothing ? pieces : lacking(pieces, stateVector)
  const [last = EMPTY_UPDATE] = updates.slice(-1)
  return [
    ...updates.slice(0, -1).map((update) => encodeFrame({ type: 'update', update })),
    encodeFrame({ type: kind, update: last }),
  ]
}

function lacking(pieces: readonly Uint8Array[], stateVector: Uint8Array): Uint8Array[] {
  const parts = pieces.map((piece) => Y.diffUpdate(piece, stateVector))
  return mergeNeighbours(parts.filter((part) => part.length > EMPTY_UPDATE.length))
}

/** Merges what lies side by side as long as it stays small; merging large ones costs more than it saves. */
export function mergeNeighbours(updates: readonly Uint8Array[]): Uint8Array[] {
  if (updates.length <= 1) return [...updates]
  const groups: { bytes: number; members: Uint8Array[] }[] = []
  for (const update of updates) {
    const group = groups.at(-1)
    if (group !== undefined && group.bytes + update.length <= MERGE_BYTES_MAX) {
      group.members.push(update)
      group.bytes += update.length
    } else groups.push({ bytes: update.length, members: [update] })
  }
  return groups.map(({ members }) => mergeUpdates(members))
}

const MERGE_BYTES_MAX = 1024 * 1024
