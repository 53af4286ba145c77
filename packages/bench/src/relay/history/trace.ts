import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Edit } from './history.js'

/**
 * Edits recorded elsewhere: gzipped JSON, an array of `[position, deletedCount, insertedText]`.
 * @throws Error where the file is something else
 */
export function readTrace(file: string): Edit[] {
  const recorded: unknown = JSON.parse(gunzipSync(readFileSync(file)).toString())
  if (!Array.isArray(recorded)) throw new Error(`${file} is not an array of edits`)
  return recorded.map((entry: unknown, i) => {
    if (!isRecordedEdit(entry)) throw new Error(`edit ${i} of ${file} is not [position, deleted, inserted]`)
    const [position, deleted, inserted] = entry
    return { client: 1, position, deleted, inserted }
  })
}

function isRecordedEdit(entry: unknown): entry is [number, number, string] {
  if (!Array.isArray(entry)) return false
  const [position, deleted, inserted] = entry as unknown[]
  return typeof position === 'number' && typeof deleted === 'number' && typeof inserted === 'string'
}
