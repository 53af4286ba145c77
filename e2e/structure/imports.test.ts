import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** What each package may import of its siblings. Everything else in the workspace may import anything. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  protocol: [],
  paxos: [],
  'lmdb-check': [],
  sync: ['protocol'],
  agent: ['protocol', 'sync', 'paxos', 'lmdb-check'],
  relay: ['protocol', 'sync', 'paxos', 'lmdb-check'],
  workflow: ['agent'],
  react: ['agent', 'workflow'],
}

/** Packages whose code has no clock, timer, socket, promise or randomness. */
const PURE = ['protocol', 'paxos', 'sync']

const IMPURE: [what: string, pattern: RegExp][] = [
  ['a clock', /\b(Date\.now|new Date\(|performance\.)/],
  ['a timer', /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ['a promise', /\b(async|await|Promise)\b/],
  ['randomness', /\b(Math\.random|crypto)\b/],
  ['IO', /from 'node:|\bfetch\(|\bWebSocket\b|\bprocess\./],
]

describe('structure', () => {
  test('imports between packages point one way, and only at public entries', () => {
    expect(importsOf(packageNames()).flatMap(offence)).toEqual([])
  })

  test('nothing imports the private packages', () => {
    const offenders = importsOf(packageNames().filter((name) => !['simulator', 'bench'].includes(name)))
      .filter(({ specifier }) => /^@skein\/(simulator|bench|demo|e2e)\b/.test(specifier))
      .map(({ file, specifier }) => `${file} imports ${specifier}`)
    expect(offenders).toEqual([])
  })

  test('pure packages hold no clock, timer, promise, randomness or IO', () => {
    const offenders = PURE.flatMap(sourceFiles).flatMap((file) => {
      const code = withoutComments(readFileSync(file, 'utf8'))
      return IMPURE.filter(([, pattern]) => pattern.test(code)).map(
        ([what]) => `${path.relative(ROOT, file)} has ${what}`,
      )
    })
    expect(offenders).toEqual([])
  })

  test('the rules see what they look for', () => {
    expect(
      offence({ file: 'packages/sync/src/x.ts', owner: 'sync', specifier: '@skein/agent' }),
    ).toHaveLength(1)
    expect(
      offence({ file: 'packages/agent/src/x.ts', owner: 'agent', specifier: '@skein/sync/dist/room.js' }),
    ).toHaveLength(1)
    expect(
      offence({ file: 'packages/agent/src/x.ts', owner: 'agent', specifier: '../../sync/src/x.js' }),
    ).toHaveLength(1)
    expect(offence({ file: 'packages/agent/src/x.ts', owner: 'agent', specifier: '@skein/sync' })).toEqual([])
    expect(sourceFiles('sync').length).toBeGreaterThan(3)
    expect(
      IMPURE.every(([, pattern]) =>
        pattern.test(`const t = Date.now(); setTimeout(f); await p;
      Math.random(); fetch('x')`),
      ),
    ).toBe(true)
  })
})

interface Import {
  readonly file: string
  readonly owner: string
  readonly specifier: string
}

function offence({ file, owner, specifier }: Import): string[] {
  const allowed = MAY_IMPORT[owner]
  if (allowed === undefined) return []
  if (specifier.startsWith('.')) {
    const target = path.resolve(ROOT, path.dirname(file), specifier)
    return target.startsWith(path.join(ROOT, 'packages', owner, 'src'))
      ? []
      : [`${file} reaches out of its package: ${specifier}`]
  }
  const sibling = /^@skein\/([^/]+)(\/.*)?$/.exec(specifier)
  if (sibling === null) return []
  if (sibling[2] !== undefined) return [`${file} imports past a public entry: ${specifier}`]
  return allowed.includes(sibling[1]!) ? [] : [`${file} imports ${specifier}; ${owner} may not`]
}

function importsOf(packages: readonly string[]): Import[] {
  return packages.flatMap((owner) =>
    sourceFiles(owner).flatMap((file) => {
      const code = withoutComments(readFileSync(file, 'utf8'))
      const specifiers = [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(
        (match) => match[1]!,
      )
      return specifiers.map((specifier) => ({ file: path.relative(ROOT, file), owner, specifier }))
    }),
  )
}

function packageNames(): string[] {
  return readdirSync(path.join(ROOT, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
}

function sourceFiles(owner: string): string[] {
  const directory = path.join(ROOT, 'packages', owner, 'src')
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => path.join(directory, name))
  } catch {
    // A package of the list that does not exist yet.
    return []
  }
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}
