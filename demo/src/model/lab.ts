/** What the demo's command lets the lab of its page do to the relays that it has started. */

/** Where it is offered, at the page's own server: `GET` tells the state, `POST` changes one thing of one relay. */
export const LAB_PATH = '/lab/relays'

/**
 * The line between the agents and one relay. `slow`: everything takes longer. `silent`: connections can be
 * made, and nothing comes out at the other end, until the line is something else again.
 */
export const LINES = ['normal', 'slow', 'silent'] as const
export type LineMode = (typeof LINES)[number]

/** What a slow line adds to a round trip, half of it each way. */
export const SLOW_ROUND_TRIP_MS = 300

export interface LabRelay {
  readonly id: string
  /** Where agents reach it, through its line. */
  readonly port: number
  readonly process: 'running' | 'starting' | 'ended'
  readonly line: LineMode
}

export interface LabState {
  readonly relays: readonly LabRelay[]
}

/** One thing to be as it says: a relay's line, or whether its process runs. `false` is `kill -9`. */
export type LabChange =
  | { readonly relay: string; readonly line: LineMode }
  | { readonly relay: string; readonly running: boolean }

/** The change that a request asks for, or what is wrong with it. */
export function readLabChange(json: unknown): LabChange | { readonly wrong: string } {
  if (!isRecord(json)) return { wrong: 'a change is an object' }
  const { relay, line, running, ...others } = json
  if (typeof relay !== 'string') return { wrong: 'relay must be the id of a relay' }
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) return { wrong: `there is no field ${unknown}` }
  if ((line === undefined) === (running === undefined)) {
    return { wrong: 'one of line and running must be given, and not both' }
  }
  if (running !== undefined) {
    return typeof running === 'boolean' ? { relay, running } : { wrong: 'running must be true or false' }
  }
  const mode = LINES.find((it) => it === line)
  return mode === undefined ? { wrong: `line must be one of ${LINES.join(', ')}` } : { relay, line: mode }
}

/** The state that a server answers with; undefined if it is something else, as of a server without a lab. */
export function readLabState(json: unknown): LabState | undefined {
  if (!isRecord(json) || !Array.isArray(json.relays)) return undefined
  return json.relays.every(isLabRelay) ? { relays: json.relays } : undefined
}

/** The relay at the end of a path. Those of a lab are on this machine, by whichever of its names. */
export function labRelayAt(lab: LabState | undefined, url: string): LabRelay | undefined {
  if (lab === undefined || !URL.canParse(url)) return undefined
  const { hostname, port } = new URL(url)
  return isLoopback(hostname) ? lab.relays.find((relay) => String(relay.port) === port) : undefined
}

/** Whether a URL's host name is one of this machine for itself. */
export function isLoopback(hostname: string): boolean {
  return /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(hostname)
}

const PROCESSES: readonly unknown[] = ['running', 'starting', 'ended'] satisfies LabRelay['process'][]

function isLabRelay(json: unknown): json is LabRelay {
  return (
    isRecord(json) &&
    typeof json.id === 'string' &&
    typeof json.port === 'number' &&
    PROCESSES.includes(json.process) &&
    (LINES as readonly unknown[]).includes(json.line)
  )
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
