import { useAgent } from '../hooks/agent.js'
import { type Route, useRoute } from '../hooks/route.js'
import { useTheme } from '../hooks/theme.js'
import { Icon, type IconName } from './Icon.js'
import { OfflineControl, StatusStrip } from './StatusStrip.js'
import { Threads } from './Threads.js'

export function Header() {
  const { parameters } = useAgent()
  const [theme, setTheme] = useTheme()
  const other = theme === 'dark' ? 'light' : 'dark'
  return (
    <header className="header">
      <a className="brand" href="#/" aria-label="Skein, home">
        <Threads converged={[true, true, true]} width={26} height={20} />
        <span className="brand-name">Skein</span>
      </a>
      <p className="self-name" title="The name of this agent">
        {parameters.name}
      </p>
      <Navigation className="navigation-top" />
      <StatusStrip />
      <OfflineControl testId="offline-switch" />
      <button
        type="button"
        className="round theme"
        aria-label={`Use the ${other} theme`}
        title={`Use the ${other} theme`}
        data-testid="theme"
        onClick={() => setTheme(other)}
      >
        <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
      </button>
    </header>
  )
}

const PLACES: readonly { href: string; label: string; icon: IconName; views: readonly Route['view'][] }[] = [
  { href: '#/', label: 'Home', icon: 'home', views: ['home', 'area'] },
  { href: '#/security', label: 'Security', icon: 'security', views: ['security'] },
  { href: '#/agents', label: 'Agents', icon: 'agents', views: ['agents'] },
  { href: '#/lab', label: 'Lab', icon: 'lab', views: ['lab'] },
]

/** At the top on desktops, where the agents are always beside; at the bottom on phones. */
export function Navigation({ className }: { className: string }) {
  const { view } = useRoute()
  return (
    <nav className={`navigation ${className}`} aria-label="Main">
      {PLACES.map(({ href, label, icon, views }) => (
        <a
          key={href}
          href={href}
          className={`place place-${label.toLowerCase()}`}
          aria-current={views.includes(view) ? 'page' : undefined}
        >
          <Icon name={icon} />
          {label}
        </a>
      ))}
    </nav>
  )
}
