import { churning, writing } from './generated.js'
import { type History, historyOf } from './history.js'
import { readTrace } from './trace.js'

/** The histories of a bench, each made when it is first asked for. */
export class Histories {
  private writtenOnce: History | undefined
  private churnedOnce: History | undefined

  constructor(private readonly traceFile: string | undefined) {}

  /** A long text: the trace that was given, or one made from a seed. */
  get written(): History {
    this.writtenOnce ??= historyOf(this.traceFile === undefined ? writing() : readTrace(this.traceFile))
    return this.writtenOnce
  }

  /** Many deletions, little text. */
  get churned(): History {
    this.churnedOnce ??= historyOf(churning())
    return this.churnedOnce
  }
}
