import type { Change, Json, Space } from '@skein/agent'
import { FIELDS } from '../model/fields.js'
import { domainOf, type EntityId, parseFieldKey, reportedKey } from '../model/keys.js'
import type { SimulatedDevice } from './device.js'

type Home = Pick<Space, 'get' | 'set' | 'entries' | 'observe' | 'transact'>

/**
 * Couples devices and the space: what is under `desired/` becomes commands, what the devices say is
 * written under `reported/`, and nothing else is. A wanted value that arrived while the bridge was away
 * is carried out when it is back.
 */
export class Bridge {
  readonly #space: Home
  readonly #devices: ReadonlyMap<EntityId, SimulatedDevice>
  readonly #endObserving: () => void

  constructor(space: Home, devices: readonly SimulatedDevice[], now: () => number) {
    this.#space = space
    this.#devices = new Map(devices.map((device) => [device.entity, device]))
    this.#restore()
    for (const [key, value] of space.entries('desired/')) this.#command(key, value, now())
    this.#endObserving = space.observe('desired/', ({ key, value }: Change) =>
      this.#command(key, value, now()),
    )
  }

  /** Writes what the devices say now where it differs from what was written; one edit for all. */
  report(): void {
    const news = [...this.#devices.values()].flatMap((device) =>
      Object.entries(device.state)
        .map(([field, value]): [string, Json] => [reportedKey(device.entity, field), value])
        .filter(([key, value]) => this.#space.get(key) !== value),
    )
    if (news.length === 0) return
    this.#space.transact(() => {
      for (const [key, value] of news) this.#space.set(key, value)
    })
  }

  end(): void {
    this.#endObserving()
  }

  #restore(): void {
    for (const [key, value] of this.#space.entries('reported/')) {
      const at = parseFieldKey(key)
      const accepted = at && FIELDS[domainOf(at.entity)][at.field]?.accept(value)
      if (at && accepted !== undefined) this.#devices.get(at.entity)?.restore(at.field, accepted)
    }
  }

  #command(key: string, value: Json | undefined, now: number): void {
    const at = parseFieldKey(key)
    const field = at && FIELDS[domainOf(at.entity)][at.field]
    const accepted = field?.accept(value)
    if (!at || !field?.commanded || accepted === undefined) return
    this.#devices.get(at.entity)?.command(at.field, accepted, now)
  }
}
