import { HttpError } from './respond.js'

/** Counts who reads an event stream: each may have megabytes waiting for it. */
export class StreamSeats {
  private count = 0

  constructor(private readonly max: number) {}

  /** Readers now. */
  get taken(): number {
    return this.count
  }

  /** Runs what serves one more reader. @throws HttpError 503 where there are too many */
  async take(serve: () => Promise<void>): Promise<void> {
    if (this.count >= this.max) {
      throw new HttpError(503, 'unavailable', 'the relay has too many event streams open; try again later')
    }
    this.count++
    try {
      await serve()
    } finally {
      this.count--
    }
  }
}
