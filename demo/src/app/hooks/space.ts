import type { Json, PresentAgent, Status } from '@skein/agent'
import { useMemo } from 'react'
import { type AgentSummary, summarize } from '../../model/convergence.js'
import { type FieldState, fieldState } from '../../model/field-state.js'
import { type Area, homeOf } from '../../model/home.js'
import { desiredKey, type EntityId, reportedKey } from '../../model/keys.js'
import { useAgent } from './agent.js'
import { useLasting } from './lasting.js'
import { createSource, sameJson, sourceOf, useSource } from './source.js'

/** Gap between two computations of the own digest while edits pour in. */
const DIGEST_GAP_MS = 50

export function useStatus(): Status {
  const { space } = useAgent()
  return useSource(
    sourceOf(space, 'status', () =>
      createSource(
        () => space.status,
        (changed) => space.onStatus(changed),
      ),
    ),
  )
}

/** The value of one key of the shared state. */
export function useKey(key: string): Json | undefined {
  const { space } = useAgent()
  return useSource(
    sourceOf(space, `key ${key}`, () =>
      createSource(
        () => space.get(key),
        (changed) => space.observe(key, changed),
        sameJson,
      ),
    ),
  )
}

/** All entries under a prefix that ends in `/`. */
export function useEntries(prefix: `${string}/`): [string, Json][] {
  const { space } = useAgent()
  return useSource(
    sourceOf(space, `entries ${prefix}`, () =>
      createSource(
        () => space.entries(prefix),
        (changed) => space.observe(prefix, changed),
        sameJson,
      ),
    ),
  )
}

/** Who is present, this agent included. */
export function usePresence(): PresentAgent[] {
  const { space } = useAgent()
  return useSource(
    sourceOf(space, 'presence', () =>
      createSource(
        () => space.presence.agents(),
        (changed) => space.presence.observe(changed),
        sameJson,
      ),
    ),
  )
}

/** The digest of this agent's own replica, at most {@link DIGEST_GAP_MS} old. */
export function useDigest(): string {
  const { space } = useAgent()
  return useSource(
    sourceOf(space, 'digest', () =>
      createSource(
        () => space.digest(),
        (changed) => {
          let _timer: ReturnType<typeof setTimeout> | undefined
          space.doc.on('update', () => {
            _timer ??= setTimeout(() => {
              _timer = undefined
              changed()
            }, DIGEST_GAP_MS)
          })
        },
      ),
    ),
  )
}

/** Everybody present as people want to read it, this agent first. */
export function useAgents(): AgentSummary[] {
  const presence = usePresence()
  const digest = useDigest()
  return useMemo(() => summarize(presence, digest), [presence, digest])
}

export function useHome(): Area[] {
  const areas = useEntries('area/')
  const devices = useEntries('device/')
  const entities = useEntries('entity/')
  return useMemo(() => homeOf(areas, devices, entities), [areas, devices, entities])
}

export function useField(entity: EntityId, field: string): FieldState {
  return fieldState(useKey(desiredKey(entity, field)), useKey(reportedKey(entity, field)))
}

/** Whether the bridge of the devices is present, as seen from here. */
export function useReachable(): boolean {
  return useAgents().some((agent) => agent.bridge)
}

/** Presence needs a moment after connecting; until then nobody is missing. */
const AWAY_MS = 1_500

/** The devices' bridge has been out of reach for a moment, long enough to be worth words. */
export function useDevicesAway(): boolean {
  return useLasting(!useReachable(), AWAY_MS)
}
