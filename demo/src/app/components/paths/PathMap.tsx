import type { PathStatus } from '@skein/agent'
import { useRef } from 'react'
import { type LabState, labRelayAt } from '../../../model/lab.js'
import { topOf } from '../../../model/path-history.js'
import { useAgent } from '../../hooks/agent.js'
import { useMiddles } from '../../hooks/middles.js'
import { usePathHistory, usePathNames } from '../../paths/hooks.js'
import { isKilledBy, PathRow } from './PathRow.js'
import { PathThread } from './PathThread.js'

/** Round trips under this are drawn as what they are: nothing to worry about. */
const SCALE_FLOOR_MS = 20

/** This agent at one side, the other ends at the other, a thread to each. */
export function PathMap({ paths, lab }: { paths: readonly PathStatus[]; lab: LabState | undefined }) {
  const { parameters } = useAgent()
  const names = usePathNames()
  const history = usePathHistory()
  const rows = useRef<HTMLUListElement>(null)
  const { middles, width, height } = useMiddles(rows, paths.length)
  const topMs = topOf(history, SCALE_FLOOR_MS)
  return (
    <div className="path-map">
      <p className="path-self">{parameters.name}</p>
      <div className="path-threads">
        <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
          {middles.length === paths.length &&
            paths.map((path, index) => (
              <PathThread
                key={path.url}
                path={path}
                isKilled={isKilledBy(labRelayAt(lab, path.url), path)}
                at={middles[index]!}
                width={width}
                height={height}
              />
            ))}
        </svg>
      </div>
      <ul className="path-rows" ref={rows}>
        {paths.map((path) => (
          <PathRow
            key={path.url}
            path={path}
            name={names.of(path)}
            relay={labRelayAt(lab, path.url)}
            samples={history.get(path.url) ?? []}
            topMs={topMs}
          />
        ))}
      </ul>
    </div>
  )
}
