import { ProtocolError, type ProtocolErrorCode } from '../../src/index.js'

/** The code of the ProtocolError that `run` throws, or undefined where it throws nothing. Others pass through. */
export function errorCodeOf(run: () => unknown): ProtocolErrorCode | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}
