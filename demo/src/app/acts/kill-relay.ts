import { joinSpace, type Space } from '@skein/agent'
import { DragRecord } from '../../model/drag.js'
import { desiredKey, type EntityId, STRONG_PREFIXES } from '../../model/keys.js'
import { type LabRelay, labRelayAt } from '../../model/lab.js'
import { PathNames } from '../../model/path-names.js'
import type { Agent } from '../hooks/agent.js'
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
  let relay: LabRelay | undefined
  let witness: Space | undefined
  const before = { on: space.get(desiredKey(LAMP, 'on')), brightness: space.get(BRIGHTNESS) }
  try {
    await until(space, () => space.status.paths.some(isWarm), READY_MS).catch(() => undefined)
    relay = labRelayAt(lab.state.snapshot(), space.status.path?.url ?? '')
    if (relay === undefined) return brokenOff('this agent has no path of its own to a relay of the lab')
    witness = await joinWitness(agent, relay)
    const names = new PathNames(parameters.relays, lab.state.snapshot())
    const nameOf = (url: string) => names.ofUrl(url)
    const seen = await drag(agent, relay, witness, (soFar) => show(linesOf(soFar, nameOf)))
    return linesOf(seen, nameOf)
  } catch (error) {
    return brokenOff(error instanceof Error ? error.message : String(error))
  } finally {
    if (typeof before.brightness === 'number') agent.edits.want(LAMP, { brightness: before.brightness })
    if (typeof before.on === 'boolean') agent.edits.want(LAMP, { on: before.on })
    await witness?.leave()
    if (relay !== undefined) await lab.change({ relay: relay.id, running: true }).catch(() => lab.refresh())
  }
}

/** The drag, with what is seen of it: from here, and at the witness. */
async function drag(
  { space, edits, lab }: Agent,
  relay: LabRelay,
  witness: Space,
  show: (soFar: Witnessed) => void,
): Promise<Witnessed> {
  const record = new DragRecord()
  const endsAt = AbortSignal.timeout(2 * SETTLE_MS)
  let seen: Witnessed = {
    record,
    victim: relay.id,
    killedMs: undefined,
    taken: undefined,
    vanished: 0,
    same: false,
  }
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
      const isNews = seen.killedMs !== undefined && lastSwitch !== undefined && lastSwitch.at >= seen.killedMs
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
        add({ killedMs: Date.now() })
        killing = lab.change({ relay: relay.id, running: false })
        // Of its failure is told below.
        killing.catch(() => undefined)
      }
      add({})
      await wait(STEP_MS)
    }
    await killing
    await Promise.all(confirmed)
    const same = await until(witness, () => witness.digest() === space.digest(), SETTLE_MS).then(
      () => true,
      () => false,
    )
    add({ same })
    return seen
  } finally {
    for (const end of ends) end()
  }
}

/** An agent of its own over the other relays, which sees what of the drag arrives there. */
async function joinWitness({ parameters, lab }: Agent, victim: LabRelay): Promise<Space> {
  const others = parameters.relays.filter((url) => labRelayAt(lab.state.snapshot(), url)?.id !== victim.id)
  const witness = await joinSpace(parameters.space, {
    relays: others,
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
    throw new Error('no other relay answers')
  }
}

function isWarm({ role, state }: Space['status']['paths'][number]): boolean {
  return role === 'standby' && state === 'good'
}

function brokenOff(why: string): ActResult {
  return { lines: [], holds: false, verdict: `It could not be played: ${why}.` }
}
