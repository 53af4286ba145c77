import { scanUpdate } from '@skein/protocol'

type Clocks = ReadonlyMap<number, number>

/** Confirmations that are awaited one by one; beyond, the newest share one. */
const OPEN_MAX = 1_000

/**
 * What a relay must hold because it has confirmed it on this connection. Counted from an answer to one of its
 * step 1s, which left it nothing to lack, and without gaps, as its state vector is.
 */
export class RelayClaims {
  /** What it was sent up to now; undefined where that is not known. */
  private sent: Map<number, number> | undefined
  private open: { readonly seq: number; readonly clocks: Clocks }[] = []
  private readonly confirmed = new Map<number, number>()

  /** This number held all that the document has, up to these clocks, and the relay lacked. */
  answered(seq: number, clocks: Clocks): void {
    this.sent = new Map(clocks)
    // It holds what was sent before it, too.
    this.open = []
    this.wait(seq, clocks)
  }

  /** This number held an update. */
  sentUpdate(seq: number, update: Uint8Array): void {
    const { sent } = this
    if (sent === undefined) return
    const clocks = new Map<number, number>()
    const structs = (client: number, clock: number, length: number) => {
      const known = sent.get(client) ?? 0
      // What is missing before it went another way, and may come later.
      if (clock > known || clock + length <= known) return
      sent.set(client, clock + length)
      clocks.set(client, clock + length)
    }
    scanUpdate(update, { structs, deletion() {} })
    if (clocks.size > 0) this.wait(seq, clocks)
  }

  /** Everything up to this number is on its disk. */
  acknowledged(to: number): void {
    while (this.open.length > 0 && this.open[0]!.seq <= to) raise(this.confirmed, this.open.shift()!.clocks)
  }

  /** This number was refused: what comes behind it has a gap. */
  rejected(seq: number): void {
    this.sent = undefined
    this.open = this.open.filter((entry) => entry.seq < seq)
  }

  /** Whether a relay with this state vector holds all that it confirmed. */
  areKept(stateVector: Clocks): boolean {
    for (const [client, clock] of this.confirmed) if ((stateVector.get(client) ?? 0) < clock) return false
    return true
  }

  private wait(seq: number, clocks: Clocks): void {
    const shared = this.open.length >= OPEN_MAX ? this.open.pop() : undefined
    this.open.push({ seq, clocks: shared === undefined ? clocks : raise(new Map(shared.clocks), clocks) })
  }
}

function raise(clocks: Map<number, number>, others: Clocks): Map<number, number> {
  for (const [client, clock] of others) clocks.set(client, Math.max(clocks.get(client) ?? 0, clock))
  return clocks
}
