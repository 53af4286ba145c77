/**
 * What was wrong with a frame, an update or a name. The only error that decoding throws.
 *
 * - `truncated`: the bytes end before the value does
 * - `malformed`: the bytes are not a value of the expected form
 * - `too-large`: a length, count or depth is over its limit in {@link LIMITS}
 * - `bad-name`: a space name that cannot be used
 */
export type ProtocolErrorCode = 'truncated' | 'malformed' | 'too-large' | 'bad-name'

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
