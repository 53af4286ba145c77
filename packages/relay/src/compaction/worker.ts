import { type AnswerRequest, answerFrames } from '@skein/sync'
import { merge, rewrite } from './rewrite.js'

/** What a worker thread does. Run by `Workers`; it is an entry of the package so that any bundler leaves it alone. */
export type Job =
  | { readonly kind: 'rewrite' | 'merge'; readonly updates: readonly Uint8Array[] }
  | {
      readonly kind: 'answer'
      readonly pieces: readonly Uint8Array[]
      readonly request: Pick<AnswerRequest, 'kind' | 'stateVector'>
    }

export default function run(job: Job): readonly Uint8Array[] {
  switch (job.kind) {
    case 'rewrite':
      return [rewrite(job.updates)]
    case 'merge':
      return [merge(job.updates)]
    case 'answer':
      return answerFrames(job.pieces, job.request)
  }
}
