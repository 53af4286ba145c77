import { Child } from './child.js'
import { type Cluster, startCluster } from './cluster.js'
import type { LinesApi } from './lines-process.js'
import type { ReaderApi } from './reader-process.js'
import { WAYS, type Way } from './ways.js'
import type { WriterApi } from './writer-process.js'

/** The processes of a run. */
export interface Stage {
  readonly cluster: Cluster
  readonly lines: Child<LinesApi>
  readonly reader: Child<ReaderApi>
  readonly writers: ReadonlyMap<Way, Child<WriterApi>>
}

export async function setUp(): Promise<Stage> {
  const cluster = await startCluster()
  return {
    cluster,
    lines: Child.start<LinesApi>('lines-process'),
    reader: Child.start<ReaderApi>('reader-process'),
    writers: new Map(WAYS.map((way) => [way, Child.start<WriterApi>('writer-process')])),
  }
}

export async function takeDown({ cluster, lines, reader, writers }: Stage): Promise<void> {
  await lines.ask('shut', undefined).catch(() => {})
  await Promise.all([lines, reader, ...writers.values()].map((child) => child.stop()))
  await cluster.stop()
}
