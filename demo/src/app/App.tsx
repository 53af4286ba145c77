import type { Area } from '../model/home.js'
import { AgentsPanel } from './components/AgentsPanel.js'
import { AreaList } from './components/AreaList.js'
import { Header, Navigation } from './components/Header.js'
import { Notices, Trouble } from './components/Notices.js'
import { Announcer } from './components/StatusStrip.js'
import { type Route, useRoute } from './hooks/route.js'
import { useDevicesAway, useHome } from './hooks/space.js'
import { AreaSection } from './views/AreaSection.js'
import { DevicesAway, EmptyHome, HomeView } from './views/HomeView.js'
import { LabView } from './views/LabView.js'
import { SecurityView } from './views/SecurityView.js'

export function App() {
  const areas = useHome()
  const route = useRoute()
  return (
    <div className="shell" data-view={route.view}>
      <Header />
      {areas.length > 0 && <AreaList areas={areas} />}
      <main className="main">
        {route.view !== 'lab' && <Trouble />}
        <View route={route} areas={areas} />
      </main>
      <AgentsPanel />
      <Navigation className="navigation-bottom" />
      <Notices />
      <Announcer />
    </div>
  )
}

function View({ route, areas }: { route: Route; areas: readonly Area[] }) {
  if (route.view === 'lab') return <LabView />
  if (areas.length === 0) return <EmptyHome />
  if (route.view === 'security') return <SecurityView areas={areas} />
  const area = route.view === 'area' ? areas.find((it) => it.id === route.area) : undefined
  return area ? <AreaView area={area} /> : <HomeView areas={areas} />
}

function AreaView({ area }: { area: Area }) {
  const away = useDevicesAway()
  return (
    <>
      <AreaSection area={area} alone />
      {away && (
        <p className="area-foot">
          <DevicesAway />
        </p>
      )}
    </>
  )
}
