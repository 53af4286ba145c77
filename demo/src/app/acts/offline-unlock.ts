import { FRONT_DOOR } from '../../model/guarded.js'
import { desiredKey, type EntityId } from '../../model/keys.js'
import type { Agent } from '../hooks/agent.js'
import { milliseconds, roundInWords, toneOf } from '../security/words.js'
import type { ActLine, ActResult } from './act.js'

const LAMP: EntityId = 'light.hall'
const RETURN_MS = 10_000

/**
 * Act 2: this agent goes offline, changes a lamp and asks to unlock the door. The lamp's change is kept
 * and merges on return; the unlock is not done, and says so at once instead of waiting for its chance.
 */
export async function offlineUnlock({ space, edits, desk, offline }: Agent): Promise<ActResult> {
  const wasOff = offline.isOff.snapshot()
  const versionBefore = desk.decided(FRONT_DOOR).snapshot()?.version ?? 0
  offline.set(true)
  const lines: ActLine[] = []
  try {
    const brightness = space.get(desiredKey(LAMP, 'brightness')) === 35 ? 65 : 35
    edits.want(LAMP, { on: true, brightness })
    lines.push({
      who: 'Hall lamp, offline',
      words: `set to ${brightness} % here at once, ${space.status.queued} queued`,
      tone: 'wait',
    })
    const round = await desk.ask(FRONT_DOOR, 'unlocked', 'Unlock', { lifting: true })
    lines.push({ who: 'Front door, offline', words: roundInWords(round), tone: toneOf(round) })
    const refused = round.outcome?.kind === 'unavailable'
    offline.set(false)
    lines.push(await merged(space, brightness))
    const { version } = await space.strong.get(FRONT_DOOR.strongKey, { deadlineMs: RETURN_MS })
    const untouched = version === versionBefore
    lines.push({
      who: 'Front door, back again',
      words: untouched ? `still v${version}` : `v${version}, it was v${versionBefore}`,
      tone: untouched ? 'agree' : 'wait',
    })
    const holds = refused && lines[2]?.tone === 'agree'
    return {
      lines,
      holds,
      verdict: holds
        ? 'What can merge went on offline; what must not be guessed waited for a majority.'
        : 'Not as it must be; see the lines above.',
    }
  } catch (error) {
    return { lines, holds: false, verdict: `It broke off: ${String(error)}` }
  } finally {
    offline.set(wasOff)
  }
}

async function merged(space: Agent['space'], brightness: number): Promise<ActLine> {
  const startedAt = performance.now()
  const who = 'Hall lamp, back again'
  try {
    await space.durable('relay', { signal: AbortSignal.timeout(RETURN_MS) })
    const now = space.get(desiredKey(LAMP, 'brightness'))
    const words = now === brightness ? 'merged and on a relay' : `merged; somebody else has set ${now} %`
    return { who, words: `${words} after ${milliseconds(performance.now() - startedAt)}`, tone: 'agree' }
  } catch {
    return { who, words: 'no relay has confirmed it yet; it stays queued', tone: 'wait' }
  }
}
