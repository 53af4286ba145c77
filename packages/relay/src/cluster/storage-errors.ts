import { RelayError } from '../errors.js'

/** What a member has stored is not what was written. `what` follows "strong region:". */
export function corrupt(what: string, cause?: unknown): RelayError {
  return new RelayError(
    'data-corrupt',
    `strong region: ${what}. A member that cannot tell what it promised takes no part any more. Put another one ` +
      'in its place: start a relay on an empty directory under a new id, and call `replace`',
    { cause },
  )
}

/** It is stored in a way that this relay does not know. */
export function unknownFormat(what: string, found: number, known: number): RelayError {
  return new RelayError(
    'data-version',
    `${what} is stored in format ${found}, this relay knows ${known}. Nothing was changed. Use a newer relay`,
  )
}
