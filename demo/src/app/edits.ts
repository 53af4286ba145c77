import type { Json, Space } from '@skein/agent'
import { desiredKey, type EntityId, parseFieldKey } from '../model/keys.js'
import { OwnWrites } from '../model/own-writes.js'
import { createSource, type Source } from './hooks/source.js'

/** A value set here that another agent replaced a moment later; what it is now, the state tells. */
export interface Overwritten {
  readonly id: number
  readonly entity: EntityId
  readonly field: string
  readonly mine: Json
}

/** How far this agent's last edit of a key has come. `refused`: a relay said no; it stays here. */
export type EditState = 'queued' | 'refused' | undefined

const NOTICES_MAX = 3

/** This agent's edits: writes what is wanted, follows each one to a relay, and notices what was lost. */
export class Edits {
  readonly states: Source<ReadonlyMap<string, EditState>>
  readonly notices: Source<readonly Overwritten[]>

  readonly #space: Space
  readonly #confirmable: boolean
  readonly #own = new OwnWrites()
  readonly #refused = new Set<string>()
  readonly #keys = new Set<string>()
  #notices: readonly Overwritten[] = []
  #noticeCount = 0
  #following = false
  #tellStates = () => {}
  #tellNotices = () => {}

  /** `confirmable`: whether there is any relay that could confirm an edit. */
  constructor(space: Space, confirmable: boolean) {
    this.#space = space
    this.#confirmable = confirmable
    this.states = createSource(
      () => this.#readStates(),
      (changed) => {
        this.#tellStates = changed
      },
    )
    this.notices = createSource(
      () => this.#notices,
      (changed) => {
        this.#tellNotices = changed
      },
    )
    space.observe('desired/', ({ key, value, local }) => {
      if (!local) this.#arrived(key, value)
    })
  }

  /** Wants values for fields of an entity, as one edit. */
  want(entity: EntityId, fields: Readonly<Record<string, Json>>): void {
    this.#space.transact(() => {
      for (const [field, value] of Object.entries(fields)) {
        const key = desiredKey(entity, field)
        this.#space.set(key, value)
        this.#own.wrote(key, value)
        this.#keys.add(key)
        this.#refused.delete(key)
      }
    })
    // Whoever sets a value again has seen that the last one was lost.
    this.#setNotices(this.#notices.filter((it) => it.entity !== entity || !(it.field in fields)))
    if (!this.#confirmable) this.#own.confirm(this.#own.latest, Date.now())
    else if (!this.#following) void this.#follow()
    this.#tellStates()
  }

  dismiss(id: number): void {
    this.#setNotices(this.#notices.filter((notice) => notice.id !== id))
  }

  /** Waits until a relay has what was written so far, and again for what was written meanwhile. */
  async #follow(): Promise<void> {
    this.#following = true
    while (this.#own.anyWaits) {
      const upTo = this.#own.latest
      try {
        await this.#space.durable('relay')
      } catch {
        for (const key of this.#keys) if (this.#own.waits(key)) this.#refused.add(key)
      }
      this.#own.confirm(upTo, Date.now())
      this.#tellStates()
    }
    this.#following = false
  }

  #arrived(key: string, value: Json | undefined): void {
    const mine = this.#own.replaced(key, value, Date.now())
    const at = parseFieldKey(key)
    if (mine === undefined || !at) return
    this.#noticeCount += 1
    const notice = { id: this.#noticeCount, entity: at.entity, field: at.field, mine }
    this.#setNotices([...this.#notices, notice].slice(-NOTICES_MAX))
    this.#tellStates()
  }

  #setNotices(notices: readonly Overwritten[]): void {
    if (notices.length === 0 && this.#notices.length === 0) return
    this.#notices = notices
    this.#tellNotices()
  }

  #readStates(): ReadonlyMap<string, EditState> {
    const states = new Map<string, EditState>()
    for (const key of this.#keys) {
      if (this.#refused.has(key)) states.set(key, 'refused')
      else if (this.#own.waits(key)) states.set(key, 'queued')
    }
    return states
  }
}
