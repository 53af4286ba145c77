import { type AnswerRequest, answerFrames, mergeUpdates } from '@skein/sync'
import type { Workers } from './compaction/workers.js'
import type { Log, LoggedUpdate } from './log/log.js'

/** Answers from more than this are computed in another thread. */
const INLINE_BYTES_MAX = 256 * 1024
/** Pieces are merged with their neighbours up to this size. */
const PIECE_BYTES_MAX = 512 * 1024
/** Updates that lie side by side before they are merged: doing it late is quick, and many at once is not. */
const TAIL_MAX = 1_000
/** Frames kept for others who ask the same. */
const CACHED_BYTES_MAX = 32 * 1024 * 1024
/** Answers that are kept or being made. */
const CACHED_ANSWERS_MAX = 100

interface Piece {
  /** The last position in it. */
  readonly upTo: number
  readonly update: Uint8Array
}

/**
 * The content of a room, for those who lack some of it. It is in memory while somebody asks for it now
 * and then; without that it stays in the log, and updates only pass through.
 */
export class RoomContent {
  /** Oldest first; undefined while it is not in memory. */
  private pieces: Piece[] | undefined
  /** What came since the pieces were made; part of the content. */
  private tail: LoggedUpdate[] = []
  private tailBytes = 0
  private piecesBytes = 0
  /** Handed to the log, not known to be on disk. */
  private inFlight: readonly LoggedUpdate[] = []
  private loading: Promise<void> | undefined
  /** What was handed to the log since the loading began. */
  private arrived: LoggedUpdate[] = []
  private readonly cache = new Map<string, Promise<readonly Uint8Array[]> | readonly Uint8Array[]>()
  private cachedBytes = 0
  /** When it was asked for last, of `performance.now()`. */
  usedMs = performance.now()

  /** @param logged all of the log, if it is at hand */
  constructor(
    private readonly room: string,
    private readonly log: Log,
    private readonly workers: Workers,
    logged: readonly LoggedUpdate[] | undefined,
  ) {
    if (logged !== undefined) this.keep(logged)
  }

  /** What it takes in memory. */
  get bytes(): number {
    return this.piecesBytes + this.tailBytes + this.cachedBytes
  }

  get isInMemory(): boolean {
    return this.pieces !== undefined
  }

  /** What the room hands to its log. */
  append(updates: readonly LoggedUpdate[]): void {
    this.inFlight = [...this.inFlight, ...updates]
    if (this.pieces !== undefined) this.addToTail(updates)
    else if (this.loading !== undefined) this.arrived.push(...updates)
    this.forgetAnswers()
  }

  /** Everything up to this position is on disk. */
  committed(position: number): void {
    this.inFlight = this.inFlight.filter((update) => update.position > position)
  }

  /** A log that was rewritten is smaller. */
  rewritten(upTo: number, update: Uint8Array): void {
    if (this.pieces === undefined) return
    this.fold()
    // A piece that goes beyond holds a part twice then, which changes nothing.
    this.setPieces([{ upTo, update }, ...this.pieces.filter((piece) => piece.upTo > upTo)])
    this.forgetAnswers()
  }

  /** Lets go of what can be read from the log again. */
  drop(): void {
    if (this.loading !== undefined) return
    this.setPieces(undefined)
    this.tail = []
    this.tailBytes = 0
    this.forgetAnswers()
  }

  /**
   * The frames that a member lacks: at once if that is quick, else when they are there. Who asks for the same
   * shares them.
   * @throws RelayError `room-corrupt`, or what a worker met
   */
  answer(request: AnswerRequest): readonly Uint8Array[] | Promise<readonly Uint8Array[]> {
    this.usedMs = performance.now()
    const key = `${request.kind} ${Buffer.from(request.stateVector).toString('latin1')}`
    const known = this.cache.get(key)
    if (known !== undefined) return known
    if (this.cache.size >= CACHED_ANSWERS_MAX) this.forgetAnswers()
    const answer = this.pieces === undefined ? this.loadAndAnswer(request) : this.compute(request)
    this.cache.set(key, answer)
    if (answer instanceof Promise) {
      answer.then(
        (frames) => {
          if (this.cache.get(key) === answer) this.remember(key, frames)
        },
        () => {
          if (this.cache.get(key) === answer) this.cache.delete(key)
        },
      )
    } else this.remember(key, answer)
    return answer
  }

  private remember(key: string, frames: readonly Uint8Array[]): void {
    // The key is a state vector of whatever size somebody sends.
    const bytes = frames.reduce((sum, { length }) => sum + length, key.length)
    if (this.cachedBytes + bytes > CACHED_BYTES_MAX) {
      this.cache.delete(key)
      return
    }
    this.cachedBytes += bytes
    this.cache.set(key, frames)
  }

  private forgetAnswers(): void {
    this.cache.clear()
    this.cachedBytes = 0
  }

  private async loadAndAnswer(request: AnswerRequest): Promise<readonly Uint8Array[]> {
    while (this.pieces === undefined) {
      this.loading ??= this.load().finally(() => {
        this.loading = undefined
      })
      await this.loading
    }
    return this.compute(request)
  }

  private async load(): Promise<void> {
    // What is on its way to the disk may or may not be among what is read; twice does no harm.
    this.arrived = [...this.inFlight]
    const logged: LoggedUpdate[] = []
    for await (const update of this.log.load(this.room)) logged.push(update)
    this.keep([...logged, ...this.arrived])
    this.arrived = []
  }

  private keep(updates: readonly LoggedUpdate[]): void {
    this.setPieces([])
    this.addToTail(updates)
  }

  private compute(request: AnswerRequest): readonly Uint8Array[] | Promise<readonly Uint8Array[]> {
    this.fold()
    const pieces = this.pieces!.map(({ update }) => update)
    // To send everything as it is takes no computing.
    const hasNothing = request.stateVector.length === 1
    if (hasNothing || this.piecesBytes <= INLINE_BYTES_MAX) return answerFrames(pieces, request)
    const { kind, stateVector } = request
    return this.workers.run({ kind: 'answer', pieces, request: { kind, stateVector } })
  }

  private addToTail(updates: readonly LoggedUpdate[]): void {
    for (const entry of updates) {
      this.tail.push(entry)
      this.tailBytes += entry.update.length
      if (this.tail.length >= TAIL_MAX || this.tailBytes >= PIECE_BYTES_MAX) this.fold()
    }
  }

  /** Makes the tail a piece, and merges it with those before it that are not much larger. */
  private fold(): void {
    const { pieces, tail } = this
    const last = tail.at(-1)
    if (pieces === undefined || last === undefined) return
    let { length } = pieces
    let bytes = this.tailBytes
    while (length > 0) {
      const before = pieces[length - 1]!.update.length
      if (before > 2 * bytes || bytes + before > PIECE_BYTES_MAX) break
      bytes += before
      length--
    }
    const merged = mergeUpdates([...pieces.slice(length), ...tail].map(({ update }) => update))
    this.tail = []
    this.tailBytes = 0
    this.setPieces([...pieces.slice(0, length), { upTo: last.position, update: merged }])
  }

  private setPieces(pieces: Piece[] | undefined): void {
    this.pieces = pieces
    this.piecesBytes = (pieces ?? []).reduce((sum, { update }) => sum + update.length, 0)
  }
}
