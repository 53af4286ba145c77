import { desiredKey, type EntityId } from '../../model/keys.js'
import { useAgent } from './agent.js'
import { useSource } from './source.js'
import { useField, useReachable, useStatus } from './space.js'

/** What a tile has to be honest about. */
export interface TileState {
  /** Somebody wants something that the device hasn't reported. */
  readonly pending: boolean
  /** An edit made here has not reached a relay. */
  readonly queued: boolean
  /** A relay refused an edit made here; it stays on this device. */
  readonly refused: boolean
  /** The bridge of the devices is present. */
  readonly reachable: boolean
}

/** Of all the entity's fields that can be wanted; `fields` must always be the same. */
export function useTileState(entity: EntityId, fields: readonly string[]): TileState {
  const { edits } = useAgent()
  const states = useSource(edits.states)
  const { queued } = useStatus()
  // The same fields in the same order at each render, so these are the same hooks.
  const pending = fields.map((field) => useField(entity, field)).some((field) => field.pending)
  const own = fields.map((field) => states.get(desiredKey(entity, field)))
  return {
    pending,
    queued: queued > 0 && own.includes('queued'),
    refused: own.includes('refused'),
    reachable: useReachable(),
  }
}
