import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const PACKAGES = path.resolve(import.meta.dirname, '../../packages')

/**
 * Rules that say what others rely on, by the rules of those who keep them: several packages begin their ids with the
 * same letter, so each is named with its package.
 */
const KEPT_ELSEWHERE: Record<string, Record<string, readonly string[]>> = {
  // The conversation: "how an end keeps them is specified and tested in packages/sync and packages/relay".
  protocol: {
    P38: ['sync S20', 'sync R26'],
    P41: ['sync R1', 'sync S2'],
    P42: ['sync S2', 'sync R1'],
    P43: ['sync S1', 'sync S3', 'sync R1', 'sync R2'],
    P45: ['sync S13'],
    P46: ['sync S8', 'sync R6', 'sync R20'],
    P47: ['sync S14', 'sync R23'],
    P48: ['sync S15', 'sync R20'],
    P50: ['sync S6'],
    P51: ['sync R5'],
    P52: ['sync R5', 'sync R30'],
    P53: ['sync S3', 'sync S6'],
    P54: ['sync S6', 'sync R6'],
    P55: ['sync R6', 'sync R25'],
    P56: ['sync R3'],
    P58: ['sync R11'],
    P59: ['sync S10', 'sync R14'],
    P84: ['relay G11'],
    P85: ['relay G9', 'agent T17'],
    P86: ['relay G1', 'relay G2', 'relay G3', 'relay G11', 'agent T14'],
    P87: ['sync S19'],
    P88: ['relay G8', 'agent T1', 'agent T2'],
  },
}

describe('rules', () => {
  const packages = readdirSync(PACKAGES).filter((name) => existsSync(specOf(name)))

  test.each(packages)('each of %s has a number of its own', (owner) => {
    const rules = rulesOf(owner)
    expect(rules.length).toBeGreaterThan(0)
    expect(rules.filter((rule, index) => rules.indexOf(rule) !== index)).toEqual([])
  })

  test.each(packages)('each of %s has a test there whose name begins with it', (owner) => {
    const tested = testedIn(owner)
    const untested = rulesOf(owner).filter((rule) => !tested.has(rule))
    expect(untested).toEqual(Object.keys(KEPT_ELSEWHERE[owner] ?? {}).sort(byPlaceIn(owner)))
  })

  test('those that are kept elsewhere are tested there', () => {
    const missing = Object.entries(KEPT_ELSEWHERE).flatMap(([owner, rules]) =>
      Object.entries(rules).flatMap(([rule, keepers]) =>
        keepers.filter((keeper) => !isTested(keeper)).map((keeper) => `${owner} ${rule}: ${keeper}`),
      ),
    )
    expect(missing).toEqual([])
  })

  test('the names of tests are read as they are written', () => {
    const code = `
      test('A1 one rule', f)
      describe("B2 C3 two", f)
      test.each([['D4 in a row', 1]])(\`E5 \${what}\`, f)
      const id = 'F6'; eachSeed('G7', f); test('not H8 at the beginning', f)`
    expect([...rulesNamedIn(code)]).toEqual(['A1', 'B2', 'C3', 'D4', 'E5'])
  })
})

function specOf(owner: string): string {
  return path.join(PACKAGES, owner, 'SPEC.md')
}

function rulesOf(owner: string): string[] {
  const text = readFileSync(specOf(owner), 'utf8')
  return [...text.matchAll(/^- \*\*([A-Z]\d+)\*\*/gm)].map((match) => match[1]!)
}

function byPlaceIn(owner: string): (a: string, b: string) => number {
  const rules = rulesOf(owner)
  return (a, b) => rules.indexOf(a) - rules.indexOf(b)
}

function isTested(rule: string): boolean {
  const [owner, id] = rule.split(' ') as [string, string]
  return rulesOf(owner).includes(id) && testedIn(owner).has(id)
}

function testedIn(owner: string): Set<string> {
  const directory = path.join(PACKAGES, owner, 'test')
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.ts$/.test(name),
  )
  return new Set(files.flatMap((name) => [...rulesNamedIn(readFileSync(path.join(directory, name), 'utf8'))]))
}

/** The ids at the beginning of texts: names of tests, of groups of them, and of rows of a table that name one. */
function rulesNamedIn(code: string): Set<string> {
  const names = code.matchAll(/['"`]((?:[A-Z]\d+ )+)(?=[^'"`\s])/g)
  return new Set([...names].flatMap((match) => match[1]!.trim().split(' ')))
}
