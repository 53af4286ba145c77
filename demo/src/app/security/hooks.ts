import { useMemo } from 'react'
import type { Guarded } from '../../model/guarded.js'
import { type GuardedState, guardedState } from '../../model/guarded-state.js'
import { latchPrefix, reportedKey } from '../../model/keys.js'
import { useAgent } from '../hooks/agent.js'
import { useNow } from '../hooks/now.js'
import { useSource } from '../hooks/source.js'
import { useEntries, useKey } from '../hooks/space.js'
import type { Round } from './round.js'

export function useGuarded(guarded: Guarded): GuardedState {
  const { desk } = useAgent()
  const decided = useSource(desk.decided(guarded))
  const latches = useEntries(latchPrefix(guarded.entity))
  const state = useKey(reportedKey(guarded.entity, 'state'))
  const fence = useKey(reportedKey(guarded.entity, 'fence'))
  const refused = useKey(reportedKey(guarded.entity, 'refused'))
  const now = useNow(1_000)
  return useMemo(
    () => guardedState(guarded, decided, latches, { state, fence, refused }, now),
    [guarded, decided, latches, state, fence, refused, now],
  )
}

/** The latest round that this agent asked for an entity, and any older one that is not settled. */
export function useRounds(guarded: Guarded): readonly Round[] {
  const { desk } = useAgent()
  const rounds = useSource(desk.rounds)
  return useMemo(() => rounds.filter((round) => round.guarded === guarded), [rounds, guarded])
}
