import type { Space, StrongEntry, StrongRegion } from '@skein/agent'
import { FRONT_DOOR, GUARDED, type Guarded } from '../../model/guarded.js'
import type { Decided } from '../../model/guarded-state.js'
import { latchPrefix, reportedKey } from '../../model/keys.js'
import { clearedBy, pullLatch } from '../../model/latches.js'
import { readTarget, targetValue } from '../../model/target.js'
import { createSource, type Source } from '../hooks/source.js'
import { outcomeOf } from './outcome.js'
import { isUnsettled, ROUNDS_MAX, type Round } from './round.js'
import { keepUnsettled, keptUnsettled } from './unsettled.js'

/** A person at a door waits this long and no longer. */
const DEADLINE_MS = 3_000
/** A watch that ended is begun again after this pause. */
const WATCH_AGAIN_MS = 500

/**
 * This agent's dealings with the strong region: what is decided, and the rounds it asked for itself, each
 * with what is known of it and when that was known here.
 */
export class SecurityDesk {
  readonly rounds: Source<readonly Round[]>
  readonly #space: Space
  readonly #strong: StrongRegion
  readonly #name: string
  readonly #decided = new Map<Guarded, Decided>()
  readonly #sources = new Map<Guarded, Source<Decided | undefined>>()
  readonly #tellDecided = new Map<Guarded, () => void>()
  #rounds: readonly Round[] = []
  #count = 0
  #tellRounds = () => {}

  constructor(space: Space, name: string) {
    this.#space = space
    this.#strong = space.strong
    this.#name = name
    this.#rounds = keptUnsettled(space.name)
    this.#count = Math.max(0, ...this.#rounds.map((round) => round.id))
    this.rounds = createSource(
      () => this.#rounds,
      (changed) => {
        this.#tellRounds = changed
      },
    )
    for (const guarded of GUARDED) {
      // From an earlier run of this agent, until a relay tells what is decided now.
      const last = space.strong.peek(guarded.strongKey)
      if (last) this.#decided.set(guarded, last)
      this.#sources.set(
        guarded,
        createSource(
          () => this.#decided.get(guarded),
          (changed) => this.#tellDecided.set(guarded, changed),
        ),
      )
      void this.#watch(guarded)
    }
    space.observe('reported/', ({ key }) => this.#deviceReported(key))
  }

  /** What is decided for an entity, as last heard here. */
  decided(guarded: Guarded): Source<Decided | undefined> {
    return this.#sources.get(guarded)!
  }

  /**
   * Asks the relays for a new target, on the ground of the version shown here; with `lifting`, the latches
   * that were seen here are lifted by it. Returns the round once it has ended, however that was.
   */
  async ask(
    guarded: Guarded,
    state: string,
    verb: string,
    { lifting }: { lifting: boolean },
  ): Promise<Round> {
    const known = this.#decided.get(guarded)
    const latches = this.#space.entries(latchPrefix(guarded.entity))
    const cleared = lifting ? clearedBy(latches) : (readTarget(guarded, known?.value)?.cleared ?? {})
    const value = targetValue(guarded, state, this.#name, cleared, Date.now())
    const condition = known?.value === undefined ? { ifAbsent: true as const } : { ifVersion: known.version }
    const options = { deadlineMs: DEADLINE_MS }
    // Shutting the door needs no condition: whatever it was, shut is right.
    const shuts = guarded === FRONT_DOOR && state === guarded.safe
    const id = this.#begin(guarded, state, verb, known?.version ?? 0)
    const startedAt = performance.now()
    const end = (round: Partial<Round>) =>
      this.#change(id, { endedMs: performance.now() - startedAt, ...round })
    try {
      const { version, fence } = shuts
        ? await this.#strong.set(guarded.strongKey, value, options)
        : await this.#strong.compareAndSet(guarded.strongKey, condition, value, options)
      this.#learn(guarded, { value, version, fence })
      end({ outcome: { kind: 'done', version, fence } })
    } catch (error) {
      const outcome = outcomeOf(error)
      if (outcome.kind === 'conflict') this.#learn(guarded, outcome.current)
      // Without a quorum, or without certainty of one, the latch shuts it.
      if (shuts && outcome.kind !== 'conflict') this.pull(guarded)
      end({ outcome, latched: shuts })
    }
    this.#deviceReported(reportedKey(guarded.entity, 'fence'))
    return this.#rounds.find((round) => round.id === id)!
  }

  /** Holds the device in its safe state; at once, whether or not anybody can be reached. */
  pull(guarded: Guarded): void {
    pullLatch(this.#space, guarded.entity, String(this.#space.doc.clientID), this.#name, Date.now())
  }

  /** Settles for ever what became of a round whose outcome is not known. */
  async findOut(id: number): Promise<void> {
    const round = this.#rounds.find((it) => it.id === id)
    if (round?.outcome?.kind !== 'unknown') return
    this.#change(id, { findingOut: true })
    try {
      const settled = await this.#strong.resolve(round.outcome.operation, { deadlineMs: DEADLINE_MS })
      this.#change(id, { findingOut: false, settled })
    } catch {
      // Still nobody who could tell; it stays unknown, and can be asked again.
      this.#change(id, { findingOut: false })
    }
  }

  #begin(guarded: Guarded, wanted: string, verb: string, fromVersion: number): number {
    this.#count += 1
    const { path } = this.#space.status
    const round: Round = {
      id: this.#count,
      guarded,
      wanted,
      verb,
      fromVersion,
      at: Date.now(),
      startedAt: performance.now(),
      relay: path?.kind === 'relay' ? path.url : undefined,
    }
    const unsettled = this.#rounds.filter(isUnsettled)
    const others = this.#rounds.filter((it) => !unsettled.includes(it))
    // What is not settled stays, however much came after it.
    this.#rounds = [round, ...unsettled, ...others].slice(0, ROUNDS_MAX).sort((a, b) => b.id - a.id)
    this.#tellRounds()
    return round.id
  }

  #change(id: number, fields: Partial<Round>): void {
    this.#rounds = this.#rounds.map((round) => (round.id === id ? { ...round, ...fields } : round))
    keepUnsettled(this.#space.name, this.#rounds)
    this.#tellRounds()
  }

  /** The device has seen the fence of a round: the moment at which that was known here. */
  #deviceReported(key: string): void {
    for (const round of this.#rounds) {
      if (round.outcome?.kind !== 'done' || round.device) continue
      const { entity } = round.guarded
      if (!key.startsWith(`reported/${entity}/`)) continue
      if (this.#space.get(reportedKey(entity, 'fence')) !== round.outcome.fence) continue
      const refused = this.#space.get<string>(reportedKey(entity, 'refused'))
      const state = this.#space.get<string>(reportedKey(entity, 'state'))
      if (!refused && state !== round.wanted) continue
      const afterMs = performance.now() - round.startedAt
      this.#change(round.id, { device: { afterMs, state: state ?? '', refused: refused ?? '' } })
    }
  }

  async #watch(guarded: Guarded): Promise<void> {
    for (;;) {
      try {
        for await (const entry of this.#strong.watch(guarded.strongKey)) this.#learn(guarded, entry)
      } catch {
        // Refused for now; what was heard last stays on show.
      }
      await new Promise((resolve) => setTimeout(resolve, WATCH_AGAIN_MS))
    }
  }

  /** Versions only rise, whichever way they come. */
  #learn(guarded: Guarded, { value, version, fence }: StrongEntry): void {
    const known = this.#decided.get(guarded)
    if (known && known.version >= version) return
    this.#decided.set(guarded, { value, version, fence })
    this.#tellDecided.get(guarded)?.()
  }
}
