import type { EditSpan } from '../numbered-updates.js'
import type { EditBatch } from './edit-pace.js'

/** Larger messages are bulk: they are neither hedged nor kept. */
export const BULK_BYTES = 64 * 1024
/** Bytes of messages that are kept to be sent again over another path; beyond, the next exchange brings them. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024

export interface EditMessage extends EditBatch {
  readonly id: number
  readonly sentMs: number
}

/** The messages that no path has answered yet. */
export class EditsInFlight {
  private readonly messages = new Map<number, EditMessage>()
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
    this.bytes += update.length
    return message
  }

  /** Takes out the messages whose edits are all in here. */
  answered(spans: readonly EditSpan[]): EditMessage[] {
    const answered: EditMessage[] = []
    for (const message of this.messages.values()) {
      const { from, upTo } = message.span
      if (!spans.some((span) => span.from <= from && upTo <= span.upTo)) continue
      this.messages.delete(message.id)
      this.bytes -= message.update.length
      answered.push(message)
    }
    return answered
  }
}
