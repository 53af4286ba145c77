import * as Y from 'yjs'
import { scanUpdate } from '../../src/index.js'

/** `[client, clock, length]` */
export type Range = readonly [client: number, clock: number, length: number]

export interface Content {
  readonly structs: readonly Range[]
  readonly deletions: readonly Range[]
}

/** What `scanUpdate` reports. */
export function scanned(update: Uint8Array): Content {
  const structs: Range[] = []
  const deletions: Range[] = []
  scanUpdate(update, {
    structs: (...range) => structs.push(range),
    deletion: (...range) => deletions.push(range),
  })
  return { structs, deletions }
}

/** The same from `Y.decodeUpdate`: structs joined to runs, skips left out. */
export function decodedByYjs(update: Uint8Array): Content {
  const { structs, ds } = Y.decodeUpdate(update)
  const runs: Range[] = []
  for (const struct of structs) {
    if (struct instanceof Y.Skip) continue
    const [client, clock, length] = runs.at(-1) ?? [-1, -1, -1]
    if (client === struct.id.client && clock + length === struct.id.clock) {
      runs[runs.length - 1] = [client, clock, length + struct.length]
    } else {
      runs.push([struct.id.client, struct.id.clock, struct.length])
    }
  }
  const deletions: Range[] = []
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) deletions.push([client, clock, len])
  }
  return { structs: runs, deletions }
}
