/** Plain assertions, for suites that also run in a page where no test framework is. */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  const [shown, wanted] = [show(actual), show(expected)]
  if (shown !== wanted) throw new Error(`${what}: expected ${wanted}, got ${shown}`)
}

/** The error that a call rejects with must have this code. */
export async function assertRejects(promise: Promise<unknown>, code: string, what: string): Promise<void> {
  const outcome = await promise.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code ?? String(error),
  )
  assertEqual(outcome, code, what)
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${[...value].join(' ')}`
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  return String(JSON.stringify(value))
}
