import { type Case, defineCase, type Metric } from '../case.js'
import { ColdJoin } from '../cold-join.js'
import type { ContenderName } from '../contender.js'
import { TEXT, typedUpdates } from '../history/history.js'
import { Writer } from '../writer.js'

const UPDATES = 2_000
const ROOM = 'kill'

const LOST: Metric = { label: 'acknowledged and lost', unit: '', base: undefined }
const ACKNOWLEDGED: Metric = { label: 'acknowledged', unit: '', base: undefined }
const ABSENT: Metric = {
  label: `absent after the restart, of ${UPDATES.toLocaleString('en')}`,
  unit: '',
  base: undefined,
}

type Send = (writer: Writer, updates: readonly Uint8Array[]) => Promise<void>

export const KILL = [
  killCase('kill -9 at the first acknowledgement', ['skein'], untilFirstAcknowledged),
  killCase('kill -9 amid acknowledgements', ['skein'], untilHalfAcknowledged),
  killCase('kill -9 when all is taken in', ['stock', 'hocuspocus', 'skein'], untilFinished),
]

/** A burst, a kill at a moment in it, and a join of a new process on the same directory. */
function killCase(name: string, contenders: readonly ContenderName[], send: Send): Case {
  return defineCase({
    name,
    contenders,
    metrics: { acknowledged: ACKNOWLEDGED, lost: LOST, absent: ABSENT },
    async run(arena) {
      const contender = await arena.start()
      const writer = await Writer.connect(contender, ROOM)
      await send(writer, typedUpdates(UPDATES))
      await contender.kill()
      // Acknowledgements that were under way count: the relay gave them.
      await writer.ended
      const { acknowledged } = writer

      const restarted = await arena.start(contender.dataDir)
      const { doc } = await ColdJoin.run(restarted, ROOM, () => true)
      // The text grows at its end, one character for each update, so what is there is a prefix.
      const present = doc.getText(TEXT).length
      return { acknowledged, lost: Math.max(0, acknowledged - present), absent: UPDATES - present }
    },
  })
}

async function untilFirstAcknowledged(writer: Writer, updates: readonly Uint8Array[]): Promise<void> {
  for (const update of updates) writer.send(update)
  await writer.acknowledges(1)
}

/** Some are always under way, so that the kill meets writes of which some are confirmed and some are not. */
async function untilHalfAcknowledged(writer: Writer, updates: readonly Uint8Array[]): Promise<void> {
  const half = updates.length / 2
  for (const update of updates) {
    await writer.acknowledges(Math.min(half, writer.sent - UNDER_WAY))
    writer.send(update)
  }
}

async function untilFinished(writer: Writer, updates: readonly Uint8Array[]): Promise<void> {
  await writer.sendAll(updates)
  await writer.finished()
}

const UNDER_WAY = 100
