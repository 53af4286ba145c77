import type { SessionProblem } from '@skein/sync'
import { SkeinError } from './errors.js'

/** What a session's problem means for the application. */
export function problemError(problem: SessionProblem): SkeinError {
  switch (problem.kind) {
    case 'too-large':
      return new SkeinError(
        'update-too-large',
        `an edit of ${problem.bytes} bytes is over the relay's limit of ${problem.bytesMax}. It is applied on this device and was not sent.`,
      )
    case 'rejected':
      return new SkeinError(
        'update-rejected',
        `the relay rejected an edit (${problem.code}: ${problem.reason}). It is applied on this device only.`,
      )
    case 'denied':
      return new SkeinError(
        'refused',
        `the server denied access: ${problem.reason}. Edits are kept on this device.`,
      )
    case 'wrong-epoch':
      return new SkeinError(
        'wrong-epoch',
        `this replica is of epoch ${problem.mine}, the relay's space of ${problem.theirs}: it was seeded anew. Nothing was merged, for all of it would be there twice. Edits are kept on this device; join with another store to take over the relay's.`,
      )
    case 'unfaithful':
      return new SkeinError(
        'unfaithful',
        `${problem.reason}: its confirmations cannot be relied on, so it is not used. Nothing is lost: this device has everything.`,
      )
    case 'malformed':
      return new SkeinError(
        'refused',
        `the server sent something that is not understood: ${problem.reason}. Nothing of it was applied.`,
      )
  }
}
