import * as Y from 'yjs'
import type { Contender } from './contender.js'
import { Link } from './link.js'

/** A stock client with nothing joins, and asks for everything. */
export class ColdJoin {
  readonly doc = new Y.Doc()
  /** Update bytes that it was given. */
  bytes = 0
  /** When the last of them came and when it was applied, since the connection was asked for. */
  receivedMs = 0
  appliedMs = 0
  private answered = false

  /** Resolves when a step 2 has come and `isComplete`; what is not in one frame may follow in updates. */
  static async run(
    contender: Contender,
    room: string,
    isComplete: (doc: Y.Doc) => boolean,
  ): Promise<ColdJoin> {
    const join = new ColdJoin()
    const startMs = performance.now()
    let complete!: () => void
    const completed = new Promise<void>((resolve) => {
      complete = resolve
    })
    const link = await Link.open(contender, room, (message) => {
      if (message.type !== 'sync-step-2' && message.type !== 'update') return
      join.receivedMs = performance.now() - startMs
      join.bytes += message.update.length
      Y.applyUpdate(join.doc, message.update)
      join.appliedMs = performance.now() - startMs
      join.answered ||= message.type === 'sync-step-2'
      if (join.answered && isComplete(join.doc)) complete()
    })
    link.send({ type: 'sync-step-1', stateVector: Y.encodeStateVector(join.doc) })
    const ended = link.closed.then(() => {
      throw new Error('the server closed the joiner')
    })
    await Promise.race([completed, ended]).finally(() => link.close())
    return join
  }
}
