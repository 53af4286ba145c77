import type { EditSpan } from '../numbered-updates.js'
import type { EditBatch } from './edit-pace.js'
import type { PathId } from './path.js'

/** Larger messages are bulk: they are neither hedged nor kept. */
export const BULK_BYTES = 64 * 1024
/** Bytes of messages that are kept to be sent again over another path; beyond, the next exchange brings them. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024
/** Answered messages whose copies are remembered; one that is not counts as missed where its answer is to come. */
const COPIED_MAX = 256

export interface EditMessage extends EditBatch {
  readonly id: number
  readonly sentMs: number
}

/** What answers mean: messages that were answered for the first time, and others whose copies were. */
export interface EditAnswers {
  readonly first: readonly EditMessage[]
  /** Their numbers. */
  readonly copies: readonly number[]
}

/** Sent over several paths, of which one has answered. */
interface Copied {
  readonly span: EditSpan
  /** The paths that have not. */
  readonly paths: Set<PathId>
}

/** The messages that no path has answered yet, and those whose copies are still to be answered. */
export class EditsInFlight {
  private readonly messages = new Map<number, EditMessage>()
  /** Over which paths each went that have not answered. */
  private readonly over = new Map<number, Set<PathId>>()
  private readonly copied = new Map<number, Copied>()
  private bytes = 0
  private lastId = 0

  get(id: number): EditMessage | undefined {
    return this.messages.get(id)
  }

  /** Undefined where so much is kept already that this one is not. */
  add(nowMs: number, { update, span }: EditBatch): EditMessage | undefined {
    if (this.bytes + update.length > KEPT_BYTES_MAX) return undefined
    this.lastId++
    const message = { id: this.lastId, update, span, sentMs: nowMs }
    this.messages.set(message.id, message)
    this.over.set(message.id, new Set())
    this.bytes += update.length
    return message
  }

  /** A message goes over a path. */
  sent(id: number, path: PathId): void {
    this.over.get(id)?.add(path)
  }

  /** A path is gone, and answers nothing any more. */
  ended(path: PathId): void {
    for (const paths of this.over.values()) paths.delete(path)
    for (const [id, { paths }] of this.copied) this.answeredBy(path, id, paths)
  }

  /** A path has answered these edits: takes out the messages whose edits are all in there. */
  answered(path: PathId, spans: readonly EditSpan[]): EditAnswers {
    const isIn = ({ from, upTo }: EditSpan) => spans.some((span) => span.from <= from && upTo <= span.upTo)
    const copies: number[] = []
    for (const [id, { span, paths }] of this.copied) {
      if (!paths.has(path) || !isIn(span)) continue
      this.answeredBy(path, id, paths)
      copies.push(id)
    }
    const last = Math.max(...spans.map(({ upTo }) => upTo))
    const first: EditMessage[] = []
    for (const message of this.messages.values()) {
      // They are in the order of their edits.
      if (message.span.from > last) break
      if (isIn(message.span)) first.push(message)
    }
    for (const message of first) this.takeOut(path, message)
    return { first, copies }
  }

  private takeOut(path: PathId, { id, span, update }: EditMessage): void {
    this.messages.delete(id)
    this.bytes -= update.length
    const paths = this.over.get(id)!
    this.over.delete(id)
    paths.delete(path)
    if (paths.size === 0) return
    this.copied.set(id, { span, paths })
    if (this.copied.size <= COPIED_MAX) return
    for (const oldest of this.copied.keys()) {
      this.copied.delete(oldest)
      return
    }
  }

  private answeredBy(path: PathId, id: number, paths: Set<PathId>): void {
    paths.delete(path)
    if (paths.size === 0) this.copied.delete(id)
  }
}
