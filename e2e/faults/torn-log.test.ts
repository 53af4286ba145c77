import { cpSync, lstatSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Auditor } from './support/auditor.js'
import { damage } from './support/damage.js'
import { NumberedWriter } from './support/numbered-writer.js'
import { fingerprint, mustReadSpace, readSpace } from './support/raw-client.js'
import { RelayProcess, temporaryDirectory } from './support/relay-process.js'
import { Random, seededRandom, setting } from './support/seed.js'
import { type After, inParallel, until } from './support/until.js'

const DAMAGES = setting('damages', 16)
const SPACES = Array.from({ length: 8 }, (_, index) => `space-${index}`)
const UPDATES = 60
const CANNOT_LOAD = 4500

type Outcome = 'refused to start' | 'some spaces refused' | 'everything whole'

test(
  'a damaged data file is refused, or costs the spaces it hit, and never gives a wrong answer',
  async ({ onTestFinished: after }) => {
    const random = seededRandom('torn-log')
    const original = temporaryDirectory(after)
    const expected = await fill(after, original, random)
    const copies = temporaryDirectory(after)
    const outcomes: Outcome[] = []
    await inParallel([...Array(DAMAGES).keys()], 2, async (index) => {
      const data = path.join(copies, String(index))
      // The lock that the killed relay left is a socket, which cannot be copied.
      cpSync(original, data, { recursive: true, filter: (source) => !lstatSync(source).isSocket() })
      // A seed of its own: which copy comes next depends on the machine's timing.
      const how = damage(path.join(data, 'data.mdb'), index, new Random(random.seed + index))
      outcomes.push(await outcomeOf(after, data, expected, how))
      if (DAMAGES > 16 && outcomes.length % 50 === 0) console.log(`${outcomes.length} of ${DAMAGES} damages`)
    })
    console.log(`torn-log: ${JSON.stringify(countOf(outcomes))}`)
    // Where no damage is ever noticed, this test sees nothing.
    expect(outcomes.filter((outcome) => outcome === 'refused to start').length).toBeGreaterThan(1)
  },
  60_000 + DAMAGES * 5_000,
)

/** Some spaces with known content; the relay is killed, not stopped. */
async function fill(after: After, data: string, random: Random): Promise<Map<string, unknown>> {
  const relay = await RelayProcess.start(after, { data })
  const writers = SPACES.map((space, index) => {
    const auditor = new Auditor()
    return new NumberedWriter({ name: 'raw', space, auditor, random, ballast: index % 2 === 0 ? 40 : 3_000 })
  })
  for (const writer of writers) writer.connect(after, relay.url)
  await until('the writers are connected', () => writers.every(({ connected }) => connected))
  for (let i = 0; i < UPDATES; i++) {
    for (const writer of writers) writer.write()
    await until('acknowledgements', () => writers.every(({ waiting }) => waiting === 0))
  }
  const expected = new Map<string, unknown>()
  for (const space of SPACES) expected.set(space, fingerprint(await mustReadSpace(after, relay.url, space)))
  await relay.kill()
  return expected
}

async function outcomeOf(
  after: After,
  data: string,
  expected: Map<string, unknown>,
  how: string,
): Promise<Outcome> {
  const relay = await RelayProcess.tryStart(after, { data })
  if (relay.exit !== undefined) {
    expect(relay.exit, `${how}\n${relay.output}`).toEqual({ code: 1, signal: null })
    // One sentence for people, no stack trace; it may have more than one full stop.
    expect(relay.output, how).toMatch(/^error: .+\n$/)
    return 'refused to start'
  }
  let refused = 0
  for (const [space, content] of expected) {
    const found = await readSpace(after, relay.url, space)
    expect(relay.exit, `${how}: the relay ended while it loaded ${space}\n${relay.output}`).toBeUndefined()
    if (typeof found === 'number') {
      expect(found, `${how}: ${space}`).toBe(CANNOT_LOAD)
      refused++
    } else {
      expect(fingerprint(found), `${how}: ${space}`).toEqual(content)
    }
  }
  // Whatever is refused, a new space can be written, and the relay stops in order.
  await expectWritable(relay, how)
  expect(await relay.end('SIGTERM'), `${how}\n${relay.output}`).toEqual({ code: 0, signal: null })
  return refused > 0 ? 'some spaces refused' : 'everything whole'
}

async function expectWritable(relay: RelayProcess, how: string): Promise<void> {
  const response = await fetch(`${relay.http}/v1/spaces/new/state/key`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '1',
  })
  expect(response.status, how).toBe(201)
}

function countOf(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}
