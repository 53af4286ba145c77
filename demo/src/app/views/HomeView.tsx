import type { Area } from '../../model/home.js'
import { domainOf } from '../../model/keys.js'
import { useNow } from '../hooks/now.js'
import { useDevicesAway, useEntries, useStatus } from '../hooks/space.js'
import { countInWords } from '../words.js'
import { AreaSection } from './AreaSection.js'

export function HomeView({ areas }: { areas: readonly Area[] }) {
  return (
    <>
      <Clock areas={areas} />
      <div className="home-areas">
        <div className="home-grid">
          {areas.map((area) => (
            <AreaSection key={area.id} area={area} />
          ))}
        </div>
      </div>
    </>
  )
}

/** What the wall of a kitchen is looked at for most. */
function Clock({ areas }: { areas: readonly Area[] }) {
  const now = useNow(60_000)
  const away = useDevicesAway()
  return (
    <div className="clock">
      <h1 className="visually-hidden">Home</h1>
      <time dateTime={new Date(now).toISOString()} className="clock-time">
        {TIME.format(now)}
      </time>
      <p className="clock-words">
        {DATE.format(now)}
        <br />
        {away ? <DevicesAway /> : <LampCount areas={areas} />}
      </p>
    </div>
  )
}

/** Stands where other words stood, so that nothing moves under somebody's finger. */
export function DevicesAway() {
  return (
    <span className="devices-away" data-testid="devices-away">
      Devices out of reach, changes wait for them
    </span>
  )
}

function LampCount({ areas }: { areas: readonly Area[] }) {
  const reported = new Map(useEntries('reported/'))
  const lamps = areas.flatMap((area) => area.entities).filter((entity) => domainOf(entity.id) === 'light')
  const on = lamps.filter((lamp) => reported.get(`reported/${lamp.id}/on`) === true).length
  return on === 0 ? 'All lamps are off' : `${countInWords(on, 'lamp')} of ${lamps.length} on`
}

/** Before there is a home: why, and what will change that. */
export function EmptyHome() {
  const { connection, path } = useStatus()
  const connected = connection === 'live' || path !== undefined
  return (
    <div className="empty" data-testid="empty-home">
      <h1>No devices here yet</h1>
      <p>
        {connected
          ? 'The simulated devices bring the home along when they join. Start them with `pnpm demo`.'
          : 'This device has not seen the home before. It appears here as soon as a relay or another tab can be reached.'}
      </p>
    </div>
  )
}

const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const DATE = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })
