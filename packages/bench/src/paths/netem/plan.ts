import type { LineOptions } from '@skein/simulator'

/** Which line of which room; both from 0. */
export interface LinePlace {
  readonly room: number
  readonly line: number
}

export type Direction = 'up' | 'down'

/** Lines of a room, beyond which numbers would clash. */
const LINES_MAX = 16
const ROOMS_MAX = 250
/** Packets that wait in a line at most. */
const PACKETS_MAX = 10_000
/** Of loopback the whole of a message would be one packet. */
export const MTU_BYTES = 1_500

/** The loopback address that connections over a line come from: what tells its packets from others. */
export function addressOf({ room, line }: LinePlace): string {
  if (room >= ROOMS_MAX || line >= LINES_MAX)
    throw new RangeError(`no address for line ${line} of room ${room}`)
  return `127.1.${room + 1}.${line + 1}`
}

/**
 * Commands for `tc -batch` that lead what goes over lines through a netem of its own for each direction. Everything
 * else on loopback, such as what relays say to each other and to readers, is left alone.
 */
export function setUpCommands(
  lines: readonly { readonly place: LinePlace; readonly options: LineOptions }[],
): string[] {
  return [
    'qdisc add dev lo root handle 1: htb default 1',
    `class add dev lo parent 1: classid 1:1 htb rate ${UNLIMITED}`,
    ...lines.flatMap(({ place, options }) =>
      (['up', 'down'] as const).flatMap((direction) => {
        const id = idOf(place, direction)
        const end = direction === 'up' ? 'src' : 'dst'
        return [
          `class add dev lo parent 1: classid 1:${id} htb rate ${UNLIMITED}`,
          `qdisc add dev lo parent 1:${id} handle ${id}: ${netem(options)}`,
          `filter add dev lo parent 1: protocol ip prio 1 u32 match ip ${end} ${addressOf(place)}/32 flowid 1:${id}`,
        ]
      }),
    ),
  ]
}

/** Nothing passes a line in this direction any more, or again. */
export function holeCommand(
  place: LinePlace,
  direction: Direction,
  options: LineOptions,
  isHole: boolean,
): string {
  const id = idOf(place, direction)
  return `qdisc change dev lo parent 1:${id} handle ${id}: ${netem(options)} loss ${isHole ? '100%' : '0%'}`
}

/** The quantum only keeps htb from warning. */
const UNLIMITED = '10gbit quantum 60000'

/** Jitter is uniform. With a rate, which queues packets, it changes no order. */
function netem({ delayMs, jitter, rate }: LineOptions): string {
  const variation = jitter === 0 ? '' : ` ${delayMs * jitter}ms`
  const limit = rate === Number.POSITIVE_INFINITY ? '' : ` rate ${rate * 8}kbit`
  return `netem limit ${PACKETS_MAX} delay ${delayMs}ms${variation}${limit}`
}

/** Class and qdisc of a direction of a line, in hexadecimal as tc has it. */
function idOf({ room, line }: LinePlace, direction: Direction): string {
  return (0x100 + (room * LINES_MAX + line) * 2 + (direction === 'up' ? 0 : 1)).toString(16)
}
