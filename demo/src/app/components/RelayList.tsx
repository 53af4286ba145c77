import type { PathStatus } from '@skein/agent'
import { roleInWords } from '../../model/path-words.js'
import { useStatus } from '../hooks/space.js'
import { usePathNames } from '../paths/hooks.js'
import type { RelayReach } from '../security/relays.js'
import { milliseconds, shortAddress } from '../security/words.js'

/** The relays of this page as the page itself can reach them, and whether that is a majority. */
export function RelayList({ relays }: { relays: readonly RelayReach[] }) {
  const { paths } = useStatus()
  const names = usePathNames()
  const answering = relays.filter((relay) => relay.state === 'answers').length
  const needed = Math.floor(relays.length / 2) + 1
  const asked = relays.some((relay) => relay.state !== 'not-asked')
  return (
    <section className="card" aria-labelledby="relays-title" data-testid="relays">
      <div className="card-head">
        <h2 id="relays-title">Relays</h2>
        {asked && (
          <span
            className={`badge tone-${answering >= needed ? 'agree' : 'refuse'}`}
            data-testid="majority"
            data-answering={answering}
          >
            {answering >= needed ? `majority, ${answering} of ${relays.length}` : 'no majority'}
          </span>
        )}
      </div>
      <ul className="relay-list">
        {relays.map((relay) => (
          <li key={relay.url} className="relay" data-testid="relay" data-state={relay.state}>
            <i className="lamp-dot" data-state={relay.state} />
            <span className="relay-address">{names.ofUrl(relay.url)}</span>
            <span className="relay-own">{ownUse(paths, relay.url)}</span>
            <span className="relay-state">
              {relay.state === 'answers' && `answers, ${milliseconds(relay.roundTripMs)}`}
              {relay.state === 'silent' && 'does not answer'}
              {relay.state === 'not-asked' && 'not asked'}
            </span>
          </li>
        ))}
      </ul>
      {relays.length === 0 && <p className="card-words">This page was opened without a relay.</p>}
    </section>
  )
}

/** What this agent uses the relay for. */
function ownUse(paths: readonly PathStatus[], url: string): string | undefined {
  const path = paths.find((it) => it.role !== 'none' && shortAddress(it.url) === shortAddress(url))
  return path && roleInWords(path)
}
