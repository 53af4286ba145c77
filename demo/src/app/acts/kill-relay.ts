import { joinSpace, type Space } from '@skein/agent'
import { DragRecord } from '../../model/drag.js'
import { desiredKey, type EntityId, STRONG_PREFIXES } from '../../model/keys.js'
import { type LabRelay, labRelayAt } from '../../model/lab.js'
import { PathNames } from '../../model/path-names.js'
import type { Agent } from '../hooks/agent.js'
import { shortAddress } from '../security/words.js'
import type { ActResult } from './act.js'
import { linesOf, type Witnessed } from './kill-relay-words.js'
import { until, wait } from './wait.js'

const LAMP: EntityId = 'light.living_ceiling'
const BRIGHTNESS = desiredKey(LAMP, 'brightness')
/** From one end of the drag to the other, as often as the slider itself writes. */
const FROM = 20
const TO = 80
const STEP_MS = 50
/** Where the relay is killed. */
const KILL_AT = 45
const READY_MS = 10_000
/** Everything has to be there after this; what takes so long does not pass anyway. */
const SETTLE_MS = 10_000

/**
 * Act 4: a lamp's slider is dragged while the relay of this agent's path is killed. Another path has to take over
 * within a second, every edit has to get to a relay's disk and to another agent, which this agent must not even
 * seem to have left.
 */
export async function killRelay(agent: Agent, show: (soFar: ActResult) => void): Promise<ActResult> {
  const { space, lab, parameters } = agent
  const names = new PathNames(parameters.relays, lab.state.snapshot())
  const nameOf = (url: string) => names.ofUrl(url)
  const before = { on: space.get(desiredKey(LAMP, 'on')), brightness: space.get(BRIGHTNESS) }
  let witness: Space | undefined
  let killed: LabRelay | undefined
  const kill = (relay: LabRelay) => {
    killed = relay
    return lab.change({ relay: relay.id, running: false })
  }
  try {
    await happens(space, () => space.status.paths.some(isWarm))
    if (!relayInUse(agent)) return brokenOff('this agent has no path of its own to a relay of the lab')
    witness = await joinWitness(agent)
    const seen = await drag(agent, witness, {
      nameOf,
      kill,
      show: (soFar) => show(linesOf(soFar, nameOf)),
    })
    return linesOf(seen, nameOf)
  } catch (error) {
    return brokenOff(error instanceof Error ? error.message : String(error))
  } finally {
    if (typeof before.brightness === 'number') agent.edits.want(LAMP, { brightness: before.brightness })
    if (typeof before.on === 'boolean') agent.edits.want(LAMP, { on: before.on })
    await witness?.leave()
    if (killed !== undefined) {
      await lab.change({ relay: killed.id, running: true }).catch(() => lab.refresh())
    }
  }
}

interface Staging {
  nameOf(url: string): string
  kill(relay: LabRelay): Promise<void>
  show(soFar: Witnessed): void
}

/** The drag, with what is seen of it: from here, and at the witness. */
async function drag(agent: Agent, witness: Space, { nameOf, kill, show }: Staging): Promise<Witnessed> {
  const { space, edits } = agent
  const record = new DragRecord()
  const endsAt = AbortSignal.timeout(2 * SETTLE_MS)
  let seen: Witnessed = { record, kill: undefined, taken: undefined, vanished: 0, same: false }
  const add = (more: Partial<Witnessed>) => {
    seen = { ...seen, ...more }
    show(seen)
  }
  const isHere = () => witness.presence.agents().some(({ clientId }) => clientId === space.doc.clientID)
  await until(witness, isHere, READY_MS)
  const ends = [
    witness.observe(BRIGHTNESS, ({ value }) => record.arrived(value, Date.now())),
    witness.presence.observe(() => {
      if (!isHere()) add({ vanished: seen.vanished + 1 })
    }),
    space.onStatus(({ lastSwitch }) => {
      const isNews = seen.kill !== undefined && lastSwitch !== undefined && lastSwitch.at >= seen.kill.atMs
      if (isNews && seen.taken === undefined && lastSwitch.to !== undefined) add({ taken: lastSwitch })
    }),
  ]
  const confirmed: Promise<unknown>[] = []
  let killing: Promise<void> | undefined
  try {
    for (let value = FROM; value <= TO; value++) {
      record.made(value, Date.now())
      const receipt = space.commit(() => edits.want(LAMP, { on: true, brightness: value }))
      const known = receipt.durable('relay', { signal: endsAt })
      confirmed.push(known.then(() => record.acknowledged(value, Date.now())).catch(() => undefined))
      if (value === KILL_AT) {
        // Only now is it known which one: a path may be left for a better one at any time.
        const relay = relayInUse(agent)
        if (relay === undefined) throw new Error('the path to a relay was lost before one was killed')
        const over = witness.status.path
        add({ kill: { victim: relay.id, witnessOver: over && nameOf(over.url), atMs: Date.now() } })
        killing = kill(relay)
        // Of its failure is told below.
        killing.catch(() => undefined)
      }
      show(seen)
      await wait(STEP_MS)
    }
    await killing
    await Promise.all(confirmed)
    await happens(space, () => seen.taken !== undefined)
    add({ same: await happens(witness, () => witness.digest() === space.digest()) })
    return seen
  } finally {
    for (const end of ends) end()
  }
}

/** Whether something about a space comes to be so in time. */
function happens(space: Space, isSo: () => boolean): Promise<boolean> {
  return until(space, isSo, SETTLE_MS).then(
    () => true,
    () => false,
  )
}

/** An agent of its own, which sees what of the drag arrives; over other relays than this one, as far as it goes. */
async function joinWitness({ parameters, space }: Agent): Promise<Space> {
  const own = shortAddress(space.status.path?.url ?? '')
  const others = parameters.relays.filter((url) => shortAddress(url) !== own)
  const witness = await joinSpace(parameters.space, {
    relays: [...others, ...parameters.relays.filter((url) => !others.includes(url))],
    strong: STRONG_PREFIXES,
    presence: { name: 'Witness', kind: 'act 4' },
    store: 'memory',
    tabs: false,
  })
  try {
    await until(witness, () => witness.status.connection === 'live', READY_MS)
    return witness
  } catch {
    await witness.leave()
    throw new Error('no relay answers')
  }
}

/** The relay of the lab that edits go over now. */
function relayInUse({ space, lab }: Agent): LabRelay | undefined {
  return labRelayAt(lab.state.snapshot(), space.status.path?.url ?? '')
}

function isWarm({ role, state }: Space['status']['paths'][number]): boolean {
  return role === 'standby' && state === 'good'
}

function brokenOff(why: string): ActResult {
  return { lines: [], holds: false, verdict: `It could not be played: ${why}.` }
}
