import { useEffect, useId, useRef } from 'react'
import { agoInWords, roleInWords, switchInWords } from '../../model/path-words.js'
import { useAgent } from '../hooks/agent.js'
import { useNow } from '../hooks/now.js'
import { useRoute } from '../hooks/route.js'
import { useStatus } from '../hooks/space.js'
import { usePathNames } from '../paths/hooks.js'
import { milliseconds } from '../security/words.js'
import { pathInWords } from '../words.js'

/** The path in use, with its round trip, and whether another is warm; more of it at a press. */
export function PathBadge() {
  const { parameters } = useAgent()
  const status = useStatus()
  const names = usePathNames()
  const popover = useId()
  const more = useRef<HTMLDivElement>(null)
  const { view } = useRoute()
  // Whoever went elsewhere has read it.
  useEffect(() => more.current?.hidePopover(), [view])
  const warm = status.paths.find(({ role, state }) => role === 'standby' && state === 'good')
  return (
    <>
      <button
        type="button"
        className={`badge connection connection-${status.connection}`}
        popoverTarget={popover}
        data-testid="connection"
        data-connection={status.connection}
        title={status.path?.url || undefined}
      >
        <Beat url={status.path?.url} />
        <span
          data-testid="path"
          data-path-kind={status.path?.kind ?? 'none'}
          data-round-trip={status.path?.roundTripMs}
        >
          {pathInWords(status, names)}
        </span>
        {parameters.relays.length > 1 && <Warm name={warm && names.of(warm)} />}
      </button>
      <div ref={more} id={popover} popover="auto" className="explanation path-explanation">
        <h2>{status.path ? `Edits go over ${names.of(status.path)}` : 'No path is open'}</h2>
        <PathSummary />
        <a href="#/lab">All of it in the lab</a>
      </div>
    </>
  )
}

/** A second thread, which takes as much room when it is not there. */
function Warm({ name }: { name: string | undefined }) {
  return (
    <span
      className="warm"
      title={name && `${name} is kept warm`}
      data-testid="warm"
      data-warm={name !== undefined}
    >
      <span className="visually-hidden">{name ? `, ${name} kept warm` : ', no other kept warm'}</span>
    </span>
  )
}

/** Blinks when something moves over the path. */
function Beat({ url }: { url: string | undefined }) {
  const { traffic } = useAgent()
  const dot = useRef<HTMLElement>(null)
  useEffect(() => {
    if (url === undefined) return
    let lastAt = 0
    return traffic.listen(url, () => {
      const now = performance.now()
      if (now - lastAt < BEAT_MS || matchMedia('(prefers-reduced-motion: reduce)').matches) return
      lastAt = now
      dot.current?.animate([{ boxShadow: '0 0 0 0 currentColor' }, { boxShadow: '0 0 0 7px transparent' }], {
        duration: BEAT_MS,
        easing: 'ease-out',
      })
    })
  }, [traffic, url])
  return <i className="lamp-dot" ref={dot} />
}

const BEAT_MS = 700

function PathSummary() {
  const { paths, lastSwitch } = useStatus()
  const names = usePathNames()
  const now = useNow(1_000)
  return (
    <>
      <ul>
        {paths.map((path) => (
          <li key={path.url}>
            <span>{names.of(path)}</span>
            <span>
              {roleInWords(path)}
              {path.role !== 'none' &&
                path.roundTripMs !== undefined &&
                `, ${milliseconds(path.roundTripMs)}`}
            </span>
          </li>
        ))}
      </ul>
      {lastSwitch && (
        <p>
          {switchInWords(lastSwitch, (url) => names.ofUrl(url))},{' '}
          {agoInWords(Math.max(0, now - lastSwitch.at))}.
        </p>
      )}
    </>
  )
}
