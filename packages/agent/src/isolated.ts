/**
 * Runs a callback of the application. If it throws, that is reported as an uncaught error of its own:
 * it must keep neither the other callbacks nor the update or status behind it from arriving.
 */
export function isolated(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
