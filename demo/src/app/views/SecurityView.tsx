import { GUARDED } from '../../model/guarded.js'
import type { Area } from '../../model/home.js'
import { LastRound } from '../components/LastRound.js'
import { RelayList } from '../components/RelayList.js'
import { RoundList } from '../components/RoundList.js'
import { useDevicesAway } from '../hooks/space.js'
import { useRelays } from '../security/relays.js'
import { EntityTile } from './EntityTile.js'

/** What must not go wrong, and how a decision on it is made. */
export function SecurityView({ areas }: { areas: readonly Area[] }) {
  const all = areas.flatMap((area) => area.entities)
  const entities = GUARDED.flatMap((guarded) => all.filter(({ id }) => id === guarded.entity))
  const relays = useRelays()
  const away = useDevicesAway()
  return (
    <div className="security">
      <div className="area-head">
        <h1>Security</h1>
        <p className="security-words">
          {/* Both take their room all the time: nothing may move under the finger that holds a button. */}
          <span data-shown={!away}>
            To unlock, disarm or open, a majority of the relays decides. To make safe, nobody has to be asked.
          </span>
          <span className="devices-away" data-shown={away} data-testid="devices-away">
            Devices out of reach. A latch waits for them; an unlock does not.
          </span>
        </p>
      </div>
      <div className="security-tiles area-alone">
        {entities.map((entity) => (
          <EntityTile key={entity.id} entity={entity} />
        ))}
      </div>
      <LastRound relays={relays} />
      <div className="security-columns">
        <RelayList relays={relays} />
        <RoundList />
      </div>
    </div>
  )
}
