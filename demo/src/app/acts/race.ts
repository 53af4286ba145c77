import { joinSpace, type Space } from '@skein/agent'
import { FRONT_DOOR } from '../../model/guarded.js'
import { latchPrefix, STRONG_PREFIXES } from '../../model/keys.js'
import { type Cleared, clearedBy } from '../../model/latches.js'
import { readTarget, targetValue } from '../../model/target.js'
import type { Agent } from '../hooks/agent.js'
import { type Outcome, outcomeOf } from '../security/outcome.js'
import { milliseconds, shortAddress } from '../security/words.js'
import type { ActLine, ActResult } from './act.js'

const NAMES = ['Ann', 'Ben', 'Cleo'] as const
const JOIN_MS = 10_000
const DEADLINE_MS = 5_000

interface Racer {
  readonly name: string
  readonly space: Space
}

interface Attempt {
  readonly racer: Racer
  readonly relay: string
  readonly outcome: Outcome
  readonly ms: number
}

/**
 * Act 3: three agents of their own, each on another relay where there are three, ask at the same moment to
 * unlock the door at the same version. Exactly one may succeed; the others must be told by whom and with
 * which version they were beaten.
 */
export async function race({ parameters, space: home }: Agent): Promise<ActResult> {
  const racers = await Promise.all(NAMES.map((name, index) => join(parameters, name, index)))
  try {
    const version = await lockedVersion(racers[0]!)
    // The racers have just come and need not have the home's latches yet; this agent has.
    const cleared = clearedBy(home.entries(latchPrefix(FRONT_DOOR.entity)))
    const attempts = await Promise.all(racers.map((racer) => attempt(racer, version, cleared)))
    const winners = attempts.filter(({ outcome }) => outcome.kind === 'done')
    const beaten = attempts.filter(
      ({ outcome }) => outcome.kind === 'conflict' && outcome.current.version === version + 1,
    )
    const holds = winners.length === 1 && beaten.length === attempts.length - 1
    return {
      lines: attempts.map(inWords),
      holds,
      verdict: `At v${version}: ${winners.length} of ${attempts.length} unlocked, ${beaten.length} saw v${version + 1}.`,
    }
  } catch (error) {
    return { lines: [], holds: false, verdict: `The race could not be held: ${wordsOf(error)}` }
  } finally {
    await Promise.all(racers.map(({ space }) => space.leave()))
  }
}

async function join(
  { space: name, relays }: Agent['parameters'],
  who: string,
  index: number,
): Promise<Racer> {
  const turned = [...relays.slice(index % relays.length), ...relays.slice(0, index % relays.length)]
  const space = await joinSpace(name, {
    relays: turned,
    strong: STRONG_PREFIXES,
    presence: { name: who, kind: 'act 3' },
    store: 'memory',
    tabs: false,
  })
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`${who} reached no relay`)), JOIN_MS),
  )
  await Promise.race([space.whenSynced, late]).catch(() => undefined)
  return { name: who, space }
}

/** The version at which the door is locked, by a decision of its own if need be. */
async function lockedVersion({ space, name }: Racer): Promise<number> {
  const { value, version } = await space.strong.get(FRONT_DOOR.strongKey, { deadlineMs: DEADLINE_MS })
  const target = readTarget(FRONT_DOOR, value)
  if (target?.state === FRONT_DOOR.safe) return version
  const locked = targetValue(FRONT_DOOR, FRONT_DOOR.safe, name, target?.cleared ?? {}, Date.now())
  return (await space.strong.set(FRONT_DOOR.strongKey, locked, { deadlineMs: DEADLINE_MS })).version
}

async function attempt(racer: Racer, version: number, cleared: Cleared): Promise<Attempt> {
  const { space, name } = racer
  const relay = space.status.path?.url ?? ''
  const value = targetValue(FRONT_DOOR, FRONT_DOOR.unsafe, name, cleared, Date.now())
  const startedAt = performance.now()
  const end = (outcome: Outcome): Attempt => ({ racer, relay, outcome, ms: performance.now() - startedAt })
  try {
    const options = { deadlineMs: DEADLINE_MS }
    const written = await space.strong.compareAndSet(
      FRONT_DOOR.strongKey,
      { ifVersion: version },
      value,
      options,
    )
    return end({ kind: 'done', ...written })
  } catch (error) {
    return end(outcomeOf(error))
  }
}

function inWords({ racer, relay, outcome, ms }: Attempt): ActLine {
  const who = relay ? `${racer.name}, by ${shortAddress(relay)}` : racer.name
  const took = milliseconds(ms)
  switch (outcome.kind) {
    case 'done':
      return { who, words: `unlocked, v${outcome.version}, fence ${outcome.fence}, ${took}`, tone: 'agree' }
    case 'conflict': {
      const first = readTarget(FRONT_DOOR, outcome.current.value)?.by ?? 'somebody'
      return { who, words: `${first} was first: v${outcome.current.version}, ${took}`, tone: 'wait' }
    }
    case 'unavailable':
      return { who, words: `no majority of relays; nothing was changed, ${took}`, tone: 'refuse' }
    case 'refused':
      return { who, words: outcome.message, tone: 'refuse' }
    case 'unknown':
      return { who, words: `not known whether it was done, ${took}`, tone: 'wait' }
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
