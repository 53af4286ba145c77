import { type ReactNode, useId } from 'react'
import type { Guarded } from '../../model/guarded.js'
import type { GuardedState } from '../../model/guarded-state.js'
import type { Entity } from '../../model/home.js'
import { Icon } from '../components/Icon.js'
import { useReachable, useStatus } from '../hooks/space.js'
import { useRounds } from '../security/hooks.js'
import { stateInWords } from '../security/words.js'
import { Asked } from './Asked.js'
import { GuardedArt } from './GuardedArt.js'

interface Props {
  entity: Entity
  guarded: Guarded
  kind: 'lock' | 'alarm' | 'valve'
  state: GuardedState
  children: ReactNode
}

/** The frame of what is under guard: what is decided, by its version; what holds it; what was asked here. */
export function GuardedTile({ entity, guarded, kind, state, children }: Props) {
  const title = useId()
  const reachable = useReachable()
  const live = useStatus().connection === 'live'
  const asking = useRounds(guarded).some((round) => !round.outcome)
  const { decided, latches, wanted, reported, moving, refused, deviceFence } = state
  return (
    <article
      className={`tile tile-guarded tile-${kind}`}
      aria-labelledby={title}
      data-testid={`tile-${entity.id}`}
      data-state={wanted}
      data-version={decided?.version}
      data-fence={decided?.fence}
      data-pending={asking}
      data-latched={latches.length > 0}
      data-reachable={reachable}
    >
      <div className="tile-art">
        <GuardedArt kind={kind} state={reported ?? wanted} />
      </div>
      <div className="tile-words">
        <h3 id={title}>{entity.name}</h3>
        <p className="guarded-state">
          <strong data-testid={`${entity.id}-state`}>{stateInWords(wanted)}</strong>
          {decided ? (
            <span
              className={live ? 'version' : 'version version-last'}
              title={
                live ? 'How often a majority of the relays has decided on it' : 'As this agent last heard'
              }
            >
              v{decided.version}
              {!live && ', last heard'}
            </span>
          ) : (
            <span className="version version-none" title="No relay has told this agent yet">
              not heard yet
            </span>
          )}
          {moving && reachable && (
            <span className="mark mark-pending" title="Decided, but the device has not reported it yet.">
              <Icon name="pending" size={14} />
              pending
            </span>
          )}
        </p>
        {latches[0] && (
          <p className="latched" data-testid={`${entity.id}-latch`}>
            <Icon name="latch" size={15} />
            Latch, by {latches[0].by}
          </p>
        )}
        <dl className="guarded-detail">
          <div>
            <dt>Decided by</dt>
            <dd>{decided ? (decided.target?.by ?? 'nobody yet') : 'not known here'}</dd>
          </div>
          <div>
            <dt>Fence</dt>
            <dd data-testid={`${entity.id}-fence`}>{decided?.fence ?? 'not known here'}</dd>
          </div>
          <div>
            <dt>Device</dt>
            <dd>
              {reported === undefined
                ? 'has not reported'
                : `${stateInWords(reported).toLowerCase()}, fence ${deviceFence}`}
            </dd>
          </div>
          {refused && (
            <div className="guarded-refused">
              <dt>Refused</dt>
              <dd>{refused}</dd>
            </div>
          )}
        </dl>
        <Asked guarded={guarded} />
      </div>
      <div className="tile-controls">{children}</div>
    </article>
  )
}
