import type { Json } from '@skein/agent'

/** A field as a control shows it. */
export interface FieldState {
  /** What is wanted; where nobody wanted anything yet, what is. */
  readonly wanted: Json | undefined
  /** What the device last reported. */
  readonly reported: Json | undefined
  /** Somebody wants something that the device has not reported. */
  readonly pending: boolean
}

export function fieldState(desired: Json | undefined, reported: Json | undefined): FieldState {
  return {
    wanted: desired ?? reported,
    reported,
    pending: desired !== undefined && desired !== reported,
  }
}
