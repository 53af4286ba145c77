import { LAB_PATH, type LabChange, type LabState, readLabState } from '../../model/lab.js'
import { createSource, type Source } from '../hooks/source.js'

/** Starting a relay again takes a second or two, more on a busy machine. */
const ANSWER_MS = 20_000

/** The lab of the page's server; most servers of this page have none. */
export class LabClient {
  /** Undefined where there is none. */
  readonly state: Source<LabState | undefined>
  #state: LabState | undefined
  #tell = () => {}

  constructor() {
    this.state = createSource(
      () => this.#state,
      (changed) => {
        this.#tell = changed
      },
    )
  }

  /** Asks for the state. Keeps the last one where there is no answer: the server may only be busy. */
  async refresh(): Promise<void> {
    try {
      const response = await fetch(LAB_PATH, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) })
      if (response.ok) this.#take(await response.json())
    } catch {
      // No answer, or not one of a lab, as a server's page for everything.
    }
  }

  /** Resolves when it is done. @throws Error with the server's words */
  async change(change: LabChange): Promise<void> {
    const response = await fetch(LAB_PATH, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(change),
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    const json: unknown = await response.json()
    if (!response.ok) throw new Error(messageOf(json) ?? `the lab answered ${response.status}`)
    this.#take(json)
  }

  #take(json: unknown): void {
    const state = readLabState(json)
    if (state === undefined || JSON.stringify(state) === JSON.stringify(this.#state)) return
    this.#state = state
    this.#tell()
  }
}

function messageOf(json: unknown): string | undefined {
  const { error } = (json ?? {}) as { error?: { message?: unknown } }
  return typeof error?.message === 'string' ? error.message : undefined
}
