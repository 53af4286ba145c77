/** Lets one operation at a time work on a key, in the order of their coming. */
export class KeyQueue {
  private readonly tails = new Map<string, Promise<void>>()

  /**
   * Waits for the operations before. Returns the function that lets the next one in.
   * @param patience rejects where somebody does not wait any longer
   */
  async enter(key: string, patience: (turn: Promise<void>) => Promise<void>): Promise<() => void> {
    const before = this.tails.get(key)
    let leave: (() => void) | undefined
    const mine = new Promise<void>((resolve) => {
      leave = resolve
    })
    const tail = (before ?? Promise.resolve()).then(() => mine)
    this.tails.set(key, tail)
    void tail.then(() => {
      if (this.tails.get(key) === tail) this.tails.delete(key)
    })
    try {
      if (before !== undefined) await patience(before)
    } catch (error) {
      leave!()
      throw error
    }
    return leave!
  }
}
