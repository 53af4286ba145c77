import { createSource, useSource } from './source.js'

export type Route =
  | { view: 'home' }
  | { view: 'area'; area: string }
  | { view: 'security' }
  | { view: 'agents' }
  | { view: 'lab' }

const hash = createSource(
  () => location.hash,
  (changed) => addEventListener('hashchange', changed),
)

/** Where the page is, by the URL's hash: `#/`, `#/area/<id>`, `#/security`, `#/agents`, `#/lab`. */
export function useRoute(): Route {
  const [view, id] = useSource(hash).replace(/^#\/?/, '').split('/')
  if (view === 'area' && id) return { view, area: decoded(id) }
  if (view === 'security' || view === 'agents' || view === 'lab') return { view }
  return { view: 'home' }
}

/** A hash that somebody typed need not be valid; then it names no area. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export const areaHref = (id: string): string => `#/area/${encodeURIComponent(id)}`
