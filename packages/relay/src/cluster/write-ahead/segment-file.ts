import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** A file that does not grow. */
export interface SegmentFile {
  /** Resolves when the bytes are on disk; a rejection leaves open which of them are. */
  write(bytes: Uint8Array, at: number): Promise<void>
  close(): Promise<void>
}

export type OpenSegmentFile = (path: string) => Promise<SegmentFile>

/**
 * With O_DSYNC a write of bytes that the file has already is one request to the disk, without a second system call.
 * Only Linux: macOS does not empty the disk's own cache for it, which Node's `fdatasync` does, and Windows has none.
 */
const IS_SYNCHRONOUS = process.platform === 'linux'

/** Opens a file that is there, for writing. */
export const openSegmentFile: OpenSegmentFile = async (path) => {
  const handle = await open(path, constants.O_WRONLY | (IS_SYNCHRONOUS ? constants.O_DSYNC : 0))
  return {
    async write(bytes, at) {
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, at + written)
        written += bytesWritten
      }
      if (!IS_SYNCHRONOUS) await handle.datasync()
    },
    close: () => handle.close(),
  }
}
