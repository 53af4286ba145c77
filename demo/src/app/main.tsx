import { joinSpace, type Space } from '@skein/agent'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { encodeStateAsUpdate } from 'yjs'
import { announce } from '../agent/announce.js'
import { STRONG_PREFIXES } from '../model/keys.js'
import { App } from './App.js'
import { Edits } from './edits.js'
import { AgentContext } from './hooks/agent.js'
import { applyTheme } from './hooks/theme.js'
import { LabClient } from './lab/lab-client.js'
import { createOfflineSwitch } from './offline-switch.js'
import { readParameters } from './parameters.js'
import { createTraffic } from './paths/traffic.js'
import { SecurityDesk } from './security/desk.js'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/status.css'
import './styles/controls.css'
import './styles/areas.css'
import './styles/tiles.css'
import './styles/art.css'
import './styles/panels.css'
import './styles/paths.css'
import './styles/security.css'
import './styles/guarded.css'

declare global {
  interface Window {
    /** For tests and curious people. */
    skein?: { space: Space; encode: () => Uint8Array }
  }
}

applyTheme()
const root = document.getElementById('root')!

try {
  await open()
} catch (error) {
  const message = document.createElement('p')
  message.className = 'opening'
  message.textContent = `The home could not be opened: ${error instanceof Error ? error.message : String(error)}`
  root.replaceChildren(message)
}

async function open(): Promise<void> {
  const parameters = readParameters()
  const space = await joinSpace(parameters.space, {
    relays: parameters.relays,
    strong: STRONG_PREFIXES,
    presence: { name: parameters.name, kind: 'tab' },
    offline: parameters.startOffline,
  })
  window.skein = { space, encode: () => encodeStateAsUpdate(space.doc) }
  document.title = `${parameters.name}, home kept by Skein`
  announce(space)
  // A page that only rests in the browser's cache may come back, so it stays.
  addEventListener('pagehide', (event) => {
    if (!event.persisted) void space.leave()
  })
  const agent = {
    parameters,
    space,
    edits: new Edits(space, parameters.relays.length > 0),
    desk: new SecurityDesk(space, parameters.name),
    offline: createOfflineSwitch(space, parameters.startOffline),
    lab: new LabClient(),
    traffic: createTraffic(space),
  }
  void agent.lab.refresh()
  createRoot(root).render(
    <StrictMode>
      <AgentContext value={agent}>
        <App />
      </AgentContext>
    </StrictMode>,
  )
}
