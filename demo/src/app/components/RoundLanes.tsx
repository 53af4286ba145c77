import type { RelayReach } from '../security/relays.js'
import type { Tone } from '../security/words.js'

interface Point {
  readonly time: string
  readonly words: string
}

interface Props {
  readonly tone: Tone
  /** The asking agent, and when it knew the outcome, or how long it has waited. */
  readonly agent: { readonly name: string; readonly at: Point }
  readonly relay: { readonly name: string; readonly at: string | undefined }
  /** The device, and when its report was seen; undefined while there is none. */
  readonly device: { readonly name: string; readonly at: Point | undefined }
  /** The question left this agent; its answer came back. */
  readonly asked: boolean
  readonly answered: boolean
  readonly relays: readonly RelayReach[]
}

/** Heights of the three lanes in pixels, and places along them in percent: an order, no scale. */
const LANES = { agent: 34, relay: 102, device: 170 } as const
const HEIGHT = 204
const AT = { asked: 3, relay: 36, told: 66, device: 97 } as const

/** Three lanes, one for each that has a part in a round, and the way between them. */
export function RoundLanes({ tone, agent, relay, device, asked, answered, relays }: Props) {
  return (
    <div className={`lanes tone-${tone}`}>
      <div className="lanes-plot" style={{ height: HEIGHT }}>
        <svg viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {Object.values(LANES).map((y) => (
            <path key={y} className="lane-line" d={`M0 ${y}H100`} />
          ))}
          {asked && <path className="lane-way" d={way(AT.asked, LANES.agent, AT.relay, LANES.relay)} />}
          {answered && asked && (
            <path className="lane-way" d={way(AT.relay, LANES.relay, AT.told, LANES.agent)} />
          )}
          {asked && !answered && (
            <path className="lane-way lane-open" d={way(AT.relay, LANES.relay, AT.told, LANES.agent)} />
          )}
          {device.at && <path className="lane-way" d={way(AT.relay, LANES.relay, AT.device, LANES.device)} />}
        </svg>
        <Lane y={LANES.agent} name={agent.name} note="this agent" />
        <Lane y={LANES.relay} name={relay.name} />
        <Cluster y={LANES.relay} relays={relays} />
        <Lane y={LANES.device} name={device.name} />
        <Mark x={AT.asked} y={LANES.agent} words="asked" time="0 ms" align="start" />
        {relay.at && asked && <Mark x={AT.relay} y={LANES.relay} words={relay.at} />}
        <Mark x={AT.told} y={LANES.agent} words={agent.at.words} time={agent.at.time} open={!answered} />
        {device.at && (
          <Mark x={AT.device} y={LANES.device} words={device.at.words} time={device.at.time} align="end" />
        )}
      </div>
      <p className="lanes-note">
        Measured by this agent from the moment of asking. What the relays say to each other is not seen from
        here.
      </p>
    </div>
  )
}

function Lane({ y, name, note }: { y: number; name: string; note?: string }) {
  return (
    <p className="lane-name" style={{ top: y }}>
      {name}
      {note && <span>{note}</span>}
    </p>
  )
}

/** The relays as this page reaches them now, at the end of their lane. */
function Cluster({ y, relays }: { y: number; relays: readonly RelayReach[] }) {
  const answering = relays.filter((relay) => relay.state === 'answers').length
  return (
    <p className="lane-cluster" style={{ top: y }}>
      {relays.map((relay) => (
        <i key={relay.url} className="lamp-dot" data-state={relay.state} />
      ))}
      {answering} of {relays.length} answer
    </p>
  )
}

function Mark({
  x,
  y,
  words,
  time,
  align = 'middle',
  open = false,
}: {
  x: number
  y: number
  words: string
  time?: string
  align?: 'start' | 'middle' | 'end'
  open?: boolean
}) {
  return (
    <p className={`lane-mark lane-${align}`} data-open={open} style={{ left: `${x}%`, top: y }}>
      <span>
        {time && <b>{time}</b>} {words}
      </span>
    </p>
  )
}

/** Leaves one lane and arrives at the other, steep in the middle. */
function way(fromX: number, fromY: number, toX: number, toY: number): string {
  const bend = (toX - fromX) * 0.5
  return `M${fromX} ${fromY}C${fromX + bend} ${fromY} ${toX - bend} ${toY} ${toX} ${toY}`
}
