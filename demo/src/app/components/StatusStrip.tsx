import { switchInWords } from '../../model/path-words.js'
import { useAgent } from '../hooks/agent.js'
import { useLasting } from '../hooks/lasting.js'
import { useSource } from '../hooks/source.js'
import { useStatus } from '../hooks/space.js'
import { usePathNames } from '../paths/hooks.js'
import { countInWords } from '../words.js'
import { Convergence } from './Convergence.js'
import { Icon } from './Icon.js'
import { PathBadge } from './PathBadge.js'
import { Switch } from './Switch.js'

/** What is going on, always in sight: who agrees, over which way, and what still waits. */
export function StatusStrip() {
  const status = useStatus()
  // While edits flow there are always some for a moment; only those that stay are worth a place.
  const isUnsaved = useLasting(status.unsaved > 0, UNSAVED_MS)
  return (
    <div className="strip">
      <Convergence />
      <PathBadge />
      <span
        className="badge queued"
        data-testid="queued"
        data-queued={status.queued}
        title="Edits made here that no relay has confirmed on its disk"
      >
        {status.queued > 0 && <Icon name="queued" size={15} />}
        {status.queued} queued
      </span>
      {isUnsaved && (
        <span className="badge unsaved" data-testid="unsaved" title="Edits not yet on this device's disk">
          {status.unsaved} unsaved
        </span>
      )}
    </div>
  )
}

const UNSAVED_MS = 1_000

export function OfflineControl({ testId }: { testId: string }) {
  const { offline } = useAgent()
  const off = useSource(offline.isOff)
  return (
    <Switch
      visibleLabel
      label="Offline"
      className="offline-control"
      checked={off}
      onChange={offline.set}
      testId={testId}
    />
  )
}

/** Says changes of the connection to screen readers, in whole sentences. */
export function Announcer() {
  const status = useStatus()
  const waiting = status.queued > 0 ? `${countInWords(status.queued, 'change')} queued.` : ''
  // While edits flow the count changes all the time; only being cut off makes it worth saying.
  const words =
    status.connection === 'live'
      ? `Connected, ${status.path?.kind ?? ''}.`
      : `${WORDS[status.connection]} ${waiting}`
  return (
    <>
      <p className="visually-hidden" role="status">
        {words}
      </p>
      <SwitchAnnouncer />
    </>
  )
}

/** Which path took over, and why; not the first one, of which the connection tells. */
function SwitchAnnouncer() {
  const { lastSwitch } = useStatus()
  const names = usePathNames()
  const isNews = lastSwitch !== undefined && lastSwitch.from !== undefined && lastSwitch.to !== undefined
  return (
    <p className="visually-hidden" role="status" data-testid="switch-announced">
      {isNews && `${switchInWords(lastSwitch, (url) => names.ofUrl(url))}.`}
    </p>
  )
}

const WORDS = {
  offline: 'Offline. Changes are kept on this device.',
  connecting: 'Connecting.',
  syncing: 'Catching up.',
  refused: 'The relay refused this agent.',
} as const
