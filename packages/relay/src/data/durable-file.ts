import { open } from 'node:fs/promises'

/** Writes a new file and waits until its bytes are on disk; its name is there for sure after `flushDirectory`. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Waits until the names in a directory are on disk. Windows has no such call, and some network file systems
 * refuse it; both order their names themselves.
 */
export async function flushDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync().catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error
    })
  } finally {
    await directory.close()
  }
}
