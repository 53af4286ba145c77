import type { Space } from '@skein/agent'

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Resolves when something about a space is so; rejects if it is not within `ms`. */
export function until(space: Space, isSo: () => boolean, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (!isSo()) return
      end()
      resolve()
    }
    const timer = setTimeout(() => {
      end()
      reject(new Error(`it took longer than ${ms / 1_000} s`))
    }, ms)
    const ends = [space.onStatus(look), space.presence.observe(look)]
    space.doc.on('update', look)
    const end = () => {
      clearTimeout(timer)
      for (const it of ends) it()
      space.doc.off('update', look)
    }
    look()
  })
}
