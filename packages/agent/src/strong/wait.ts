import type { Patience } from './requests.js'

/**
 * Waits for a promise. Resolves to whether it came in time.
 * @throws the signal's reason when it aborts
 */
export function inTime(promise: Promise<unknown>, { deadlineMs, signal }: Patience): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => end(() => reject(signal?.reason))
    const leftMs = Math.min(Math.max(0, deadlineMs - performance.now()), 2 ** 31 - 1)
    const timer = setTimeout(() => end(() => resolve(false)), leftMs)
    const end = (settle: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      settle()
    }
    signal?.addEventListener('abort', abort, { once: true })
    promise.then(
      () => end(() => resolve(true)),
      (error) => end(() => reject(error)),
    )
  })
}

/** Waits for a time. @throws the signal's reason when it aborts */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await inTime(new Promise(() => {}), { deadlineMs: performance.now() + ms, signal })
}
