import type { ReactNode } from 'react'
import { Acts } from '../components/Acts.js'
import { PathsCard } from '../components/paths/PathsCard.js'
import { Skein } from '../components/Skein.js'
import { OfflineControl } from '../components/StatusStrip.js'
import { useAgent } from '../hooks/agent.js'
import { useNow } from '../hooks/now.js'
import { useDigest, useStatus } from '../hooks/space.js'

/** Where the sync itself is looked at, and disturbed. */
export function LabView() {
  const { parameters } = useAgent()
  return (
    <div className="lab">
      <div className="area-head">
        <h1>Lab</h1>
      </div>
      <section className="card" aria-labelledby="lab-replicas">
        <h2 id="lab-replicas">Who holds what</h2>
        <p className="card-words">
          Threads that run together are replicas with equal digests. Change something and watch them part and
          meet again.
        </p>
        <Skein />
      </section>
      <PathsCard />
      <Acts />
      <div className="lab-columns">
        <section className="card" aria-labelledby="lab-self">
          <div className="card-head">
            <h2 id="lab-self">{parameters.name}, this agent</h2>
            <OfflineControl testId="lab-offline-switch" />
          </div>
          <StatusDetails />
        </section>
        <section className="card" aria-labelledby="lab-try">
          <h2 id="lab-try">Try this</h2>
          <ol className="steps">
            <li>Open a second agent. Dim a lamp in one, colour the same lamp in the other: both are kept.</li>
            <li>
              Set the same lamp in both at once: one value wins everywhere, and the other agent is told.
            </li>
            <li>Switch this agent offline, change things here and there, come back: the changes merge.</li>
            <li>Close this tab while it is offline and open it again: nothing is gone.</li>
          </ol>
        </section>
      </div>
    </div>
  )
}

function StatusDetails() {
  const { parameters } = useAgent()
  const status = useStatus()
  const digest = useDigest()
  const { path, error } = status
  return (
    <dl className="details">
      <Detail term="Space">{parameters.space}</Detail>
      <Detail term="Connection">
        {status.connection}
        {status.retryAt !== undefined && <Countdown to={status.retryAt} />}
      </Detail>
      <Detail term="Path">{path ? path.kind : 'none'}</Detail>
      <Detail term="Address">{path?.url || parameters.relays.join(', ') || 'no relay given'}</Detail>
      <Detail term="Round trip">
        {path?.roundTripMs === undefined ? 'not measured' : `${path.roundTripMs.toFixed(1)} ms`}
      </Detail>
      <Detail term="Queued">
        {status.queued === 0 ? 'nothing' : `${status.queued}, not confirmed by a relay`}
      </Detail>
      <Detail term="Unsaved">
        {status.unsaved === 0 ? 'nothing' : `${status.unsaved}, not on this disk`}
      </Detail>
      <Detail term="Store">{STORES[status.store]}</Detail>
      <Detail term="Other tabs">{status.tabs}</Detail>
      <Detail term="Error">{error ? `${error.code}: ${error.message}` : 'none'}</Detail>
      <Detail term="Digest">
        <code>{digest}</code>
      </Detail>
    </dl>
  )
}

function Detail({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div data-testid={`detail-${term.toLowerCase().replace(' ', '-')}`}>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Countdown({ to }: { to: number }) {
  const now = useNow(250)
  return <>, next attempt in {(Math.max(0, to - now) / 1000).toFixed(1)} s</>
}

const STORES = {
  indexeddb: 'IndexedDB on this device',
  lmdb: 'LMDB on this device',
  memory: 'memory only, gone with the tab',
} as const
