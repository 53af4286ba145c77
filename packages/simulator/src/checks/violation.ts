/** A rule was broken. Thrown by checks; ends the seed. */
export class Violation extends Error {
  constructor(
    /** The check's name, as in the table of mutants. */
    readonly check: string,
    message: string,
  ) {
    super(message)
  }
}
