/** Waits until a condition holds. Says what it waited for when it never does. */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const end = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > end) {
      throw new Error(`waited ${withinMs} ms in vain: ${typeof what === 'string' ? what : what()}`)
    }
    await pause(5)
  }
}

/** For pacing writers and choosing moments; never to wait for something to have happened. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Runs something for each item, so many at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  const lane = async () => {
    for (const item of rest) await run(item)
  }
  await Promise.all(Array.from({ length: width }, lane))
}

/** Registers what a test must clean up, also if it fails: `onTestFinished` of its context. */
export type After = (cleanUp: () => void | Promise<void>) => void
