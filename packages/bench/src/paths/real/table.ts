import type { Measured } from './measure.js'
import { WAYS, type Way } from './ways.js'

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
them, WebSocket included, without TCP and IP: by the writer (up), and by both sides, beside those of one relay.

| scenario | way | p50 | p99 | worst | gap p95 | gap worst | up | both | lost | switches per 10 s |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |`
}

export function rowsOf(scenario: string, measured: ReadonlyMap<Way, Measured>): string {
  const single = measured.get('one relay')!
  const rows = WAYS.map((way) => {
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
export function aimsOf(
  all: readonly { readonly name: string; readonly measured: ReadonlyMap<Way, Measured> }[],
): string {
  const missed = (is: (agent: Measured, ways: ReadonlyMap<Way, Measured>, name: string) => boolean) =>
    all.filter(({ name, measured }) => is(measured.get('agent')!, measured, name)).map(({ name }) => name)
  const line = (aim: string, names: readonly string[]) =>
    `- ${aim}: ${names.length === 0 ? 'met' : `missed with ${names.map((name) => `"${name}"`).join(', ')}`}`
  return [
    line(
      'no edit lost',
      missed(({ lost }) => lost > 0),
    ),
    line(
      'a closed connection costs at most 100 ms at p95',
      missed(({ gapP95 = 0 }, _ways, name) => /closes|flapping/.test(name) && gapP95 > 100),
    ),
    line(
      'a silent path costs at most 500 ms at p95',
      missed(({ gapP95 = 0 }, _ways, name) => /silent/.test(name) && gapP95 > 500),
    ),
    line(
      'less than one switch in 10 s with 30 % jitter',
      missed(({ switchesPer10s }, _ways, name) => /jitter/.test(name) && switchesPer10s >= 1),
    ),
    line(
      'p99 within 10 % of always redundant',
      missed(({ p99 }, ways) => p99 > 1.1 * ways.get('always redundant')!.p99),
    ),
    line(
      'at most 1.1 times the bytes that a writer sends with one relay',
      missed(({ up }, ways) => up > 1.1 * ways.get('one relay')!.up),
    ),
    line(
      'at most 1.1 times the bytes of both sides with one relay',
      missed(({ bytes }, ways) => bytes > 1.1 * ways.get('one relay')!.bytes),
    ),
  ].join('\n')
}
