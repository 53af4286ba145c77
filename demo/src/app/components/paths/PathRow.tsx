import type { PathStatus } from '@skein/agent'
import type { LabRelay } from '../../../model/lab.js'
import type { Sample } from '../../../model/path-history.js'
import { bytesInWords, roleInWords, shareInWords, stateInWords } from '../../../model/path-words.js'
import { useNow } from '../../hooks/now.js'
import { milliseconds, shortAddress } from '../../security/words.js'
import { PathControls } from './PathControls.js'
import { Sparkline } from './Sparkline.js'

interface Props {
  readonly path: PathStatus
  readonly name: string
  /** Where the lab can disturb it. */
  readonly relay: LabRelay | undefined
  readonly samples: readonly Sample[]
  readonly topMs: number
}

/** The far end of a path, in words and numbers. */
export function PathRow({ path, name, relay, samples, topMs }: Props) {
  const isKilled = isKilledBy(relay, path)
  const isOpen = path.state === 'good' || path.state === 'suspect' || path.state === 'silent'
  return (
    <li className="path" data-testid={`path-${name}`} data-role={path.role} data-state={path.state}>
      <div className="path-head">
        <h3>{name}</h3>
        <span className={`path-role tone-${isKilled ? 'refuse' : toneOf(path)}`}>
          {isKilled ? 'killed' : roleInWords(path)}
        </span>
        {path.url !== '' && <span className="path-address">{shortAddress(path.url)}</span>}
        <Sparkline samples={samples} topMs={topMs} />
        <span className="path-trip" title="Round trip, smoothed">
          {isOpen && path.roundTripMs !== undefined ? milliseconds(path.roundTripMs) : ''}
        </span>
      </div>
      <StateWords path={path} />
      <dl className="path-measures">
        {isOpen && <Measure term="in time">{shareInWords(path.reliability)}</Measure>}
        {isOpen && <Measure term="waiting">{bytesInWords(path.backlog)}</Measure>}
        {isOpen && path.goodput !== undefined && (
          <Measure term="carries">{bytesInWords(path.goodput)}/s</Measure>
        )}
      </dl>
      {relay && <PathControls relay={relay} />}
    </li>
  )
}

/** Only where there is more to say than what it is there for. */
function StateWords({ path }: { path: PathStatus }) {
  const now = useNow(path.retryAt === undefined ? 60_000 : 100)
  if (path.state === 'good' || path.state === 'idle') return null
  const words = stateInWords(path, now)
  return (
    <p className={`path-words tone-${toneOf(path)}`} title={path.state === 'refused' ? words : undefined}>
      {words}
    </p>
  )
}

function Measure({ term, children }: { term: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** The agent only knows that nobody answers there; the lab knows why. */
export function isKilledBy(relay: LabRelay | undefined, { role }: PathStatus): boolean {
  return relay?.process === 'ended' && role === 'none'
}

function toneOf({ state, role }: PathStatus): 'agree' | 'wait' | 'refuse' | 'none' {
  if (state === 'refused') return 'refuse'
  if (state === 'good') return role === 'none' ? 'none' : 'agree'
  return state === 'idle' ? 'none' : 'wait'
}
