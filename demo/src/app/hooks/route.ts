import { createSource, useSource } from './source.js'

export type Route = { view: 'home' } | { view: 'area'; area: string } | { view: 'agents' } | { view: 'lab' }

const hash = createSource(
  () => location.hash,
  (changed) => addEventListener('hashchange', changed),
)

/** Where the page is, by the URL's hash: `#/`, `#/area/<id>`, `#/agents`, `#/lab`. */
export function useRoute(): Route {
  const [view, id] = useSource(hash).replace(/^#\/?/, '').split('/')
  if (view === 'area' && id) return { view, area: decodeURIComponent(id) }
  if (view === 'agents' || view === 'lab') return { view }
  return { view: 'home' }
}

export const areaHref = (id: string): string => `#/area/${encodeURIComponent(id)}`
