/** Entries kept one by one; beyond, the newest ones share one. */
const ENTRIES_MAX = 10_000

/** The bytes of edits that are on their way, by the numbers of the edits. */
export class Backlog {
  private total = 0
  private readonly entries: { edit: number; bytes: number }[] = []

  get bytes(): number {
    return this.total
  }

  add(edit: number, bytes: number): void {
    this.total += bytes
    const last = this.entries.at(-1)
    if (last !== undefined && this.entries.length >= ENTRIES_MAX) {
      last.edit = edit
      last.bytes += bytes
    } else this.entries.push({ edit, bytes })
  }

  /** Everything up to this edit has arrived. */
  arrived(upTo: number): void {
    let count = 0
    for (; count < this.entries.length && this.entries[count]!.edit <= upTo; count++) {
      this.total -= this.entries[count]!.bytes
    }
    if (count > 0) this.entries.splice(0, count)
  }
}
