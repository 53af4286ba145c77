import type { Space } from '@skein/agent'
import { type PathHistory, SAMPLE_EVERY_MS, withGap, withSample } from '../../model/path-history.js'
import { createSource, type Source, sourceOf, whileHeard } from '../hooks/source.js'

/** Samples are taken while somebody listens, and no longer: no timer runs in a page that shows none of it. */
export function pathHistoryOf(space: Space): Source<PathHistory> {
  return sourceOf(space, 'path history', () => {
    let history: PathHistory = new Map()
    let changed = () => {}
    const sample = () => {
      history = withSample(history, space.status.paths, Date.now())
      changed()
    }
    const source = createSource(
      () => history,
      (tell) => {
        changed = tell
      },
    )
    return whileHeard(source, () => {
      history = withGap(history, Date.now())
      sample()
      const timer = setInterval(sample, SAMPLE_EVERY_MS)
      return () => clearInterval(timer)
    })
  })
}
