import type { Measured, ScenarioMeasured } from './measure.js'
import type { Way } from './ways.js'

export function heading({
  netem,
  worlds,
  seconds,
  seed,
}: {
  readonly netem: boolean
  readonly worlds: number
  readonly seconds: number
  readonly seed: number
}): string {
  return `Real processes over lines that ${netem ? 'netem makes' : 'a proxy makes'}: for each scenario and way ${worlds} spaces for ${seconds} s, all at once, seed ${seed}.
Milliseconds from the edit of the writer to the observer of a reader at another relay; the gap is how late the
latest edit of the second after a fault was, at the 95th percentile and at worst. Bytes as the proxy was given
them, WebSocket included, without TCP and IP: by the agent behind the lines (up), and by both sides, beside those
of one relay.

| scenario | way | p50 | p99 | worst | gap p95 | gap worst | up | both | lost | switches per 10 s |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |`
}

export function rowsOf(scenario: string, measured: ReadonlyMap<Way, Measured>): string {
  const single = measured.get('one relay')!
  const rows = [...measured.keys()].map((way) => {
    const { p50, p99, worst, gapP95, gapWorst, up, bytes, lost, switchesPer10s } = measured.get(way)!
    const [upRatio, ratio] = [up / single.up, bytes / single.bytes]
    const cells = [
      ...[scenario, way, p50.toFixed(1), p99.toFixed(1), worst.toFixed(0)],
      ...[gapP95?.toFixed(0) ?? '-', gapWorst?.toFixed(0) ?? '-', upRatio.toFixed(2), ratio.toFixed(2)],
      ...[String(lost), CHOOSES.includes(way) ? switchesPer10s.toFixed(2) : '-'],
    ]
    return `| ${cells.join(' | ')} |`
  })
  return rows.join('\n')
}

const CHOOSES: readonly Way[] = ['skein', 'agent']

/** What the agent is meant to reach, and in which scenarios it does not. */
export function aimsOf(all: readonly ScenarioMeasured[]): string {
  return AIMS.map(({ aim, isMissed }) => {
    const names = all
      .filter((one) => isMissed(one.measured.get('agent')!, one))
      .map(({ name }) => `"${name}"`)
    return `- ${aim}: ${names.length === 0 ? 'met' : `missed with ${names.join(', ')}`}`
  }).join('\n')
}

const AIMS: readonly {
  readonly aim: string
  isMissed(agent: Measured, scenario: ScenarioMeasured): boolean
}[] = [
  { aim: 'no edit is lost', isMissed: ({ lost }) => lost > 0 },
  {
    aim: 'a closed connection costs at most 100 ms at p95',
    isMissed: ({ gapP95 = 0 }, { name }) => /closes|flapping/.test(name) && gapP95 > 100,
  },
  {
    aim: 'a silent path costs at most 500 ms at p95',
    isMissed: ({ gapP95 = 0 }, { name }) => /silent/.test(name) && gapP95 > 500,
  },
  {
    aim: 'less than one change of path in 10 s with 30 % jitter',
    isMissed: ({ switchesPer10s }, { name }) => /jitter/.test(name) && switchesPer10s >= 1,
  },
  {
    aim: 'p99 within 10 % of always redundant',
    isMissed: ({ p99 }, { measured }) => p99 > 1.1 * (measured.get('always redundant')?.p99 ?? Infinity),
  },
  {
    aim: 'at most 1.1 times the bytes of a writer with one relay',
    isMissed: ({ up }, { at, measured }) => at === 'writer' && up > 1.1 * measured.get('one relay')!.up,
  },
  {
    aim: 'at most 1.1 times the bytes of both sides with one relay',
    isMissed: ({ bytes }, { measured }) => bytes > 1.1 * measured.get('one relay')!.bytes,
  },
]
