import { agoInWords, supportInWords, switchInWords } from '../../../model/path-words.js'
import { useNow } from '../../hooks/now.js'
import { useStatus } from '../../hooks/space.js'
import { useLiveLab } from '../../lab/hooks.js'
import { usePathNames } from '../../paths/hooks.js'
import { PathMap } from './PathMap.js'

/** All ways from this agent to the space, how good each is, and, where the server lets it, what disturbs them. */
export function PathsCard() {
  const { paths } = useStatus()
  const lab = useLiveLab()
  const support = supportInWords(paths)
  return (
    <section className="card paths-card" aria-labelledby="lab-paths" data-testid="paths">
      <div className="card-head">
        <h2 id="lab-paths">Paths</h2>
        <span className={`badge tone-${support.tone}`}>{support.words}</span>
      </div>
      <p className="card-words">
        Edits go over the strong thread; a second one is kept warm and takes over when the first is cut,
        silent or slow.{' '}
        {lab ? 'Disturb a path and watch.' : 'Started with the demo, this page could disturb them.'}
      </p>
      {paths.length > 0 && <PathMap paths={paths} lab={lab} />}
      <LastSwitch />
    </section>
  )
}

function LastSwitch() {
  const { lastSwitch } = useStatus()
  const names = usePathNames()
  const now = useNow(1_000)
  if (!lastSwitch) return null
  return (
    <p className="last-switch" data-testid="last-switch" data-reason={lastSwitch.reason}>
      {switchInWords(lastSwitch, (url) => names.ofUrl(url))}
      <span>{agoInWords(Math.max(0, now - lastSwitch.at))}</span>
    </p>
  )
}
