import type { Space } from '@skein/agent'
import { createContext, useContext } from 'react'
import type { Edits } from '../edits.js'
import type { LabClient } from '../lab/lab-client.js'
import type { OfflineSwitch } from '../offline-switch.js'
import type { Parameters } from '../parameters.js'
import type { Traffic } from '../paths/traffic.js'
import type { SecurityDesk } from '../security/desk.js'

/** What the page was opened with and works on; made once, before the first render. */
export interface Agent {
  readonly space: Space
  readonly edits: Edits
  readonly desk: SecurityDesk
  readonly offline: OfflineSwitch
  readonly lab: LabClient
  readonly traffic: Traffic
  readonly parameters: Parameters
}

export const AgentContext = createContext<Agent | undefined>(undefined)

export function useAgent(): Agent {
  const agent = useContext(AgentContext)
  if (!agent) throw new Error('this component is not inside AgentContext')
  return agent
}
