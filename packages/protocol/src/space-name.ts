import { ProtocolError } from './error.js'
import { LIMITS } from './limits.js'

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const FORBIDDEN = /[\u0000-\u001f\u007f\\]/

/**
 * Checks a space name: 1 to 128 UTF-16 units, well-formed Unicode, no control characters and no
 * backslash (URL parsers turn it into a slash), no empty, `.` or `..` segment between slashes.
 * @throws ProtocolError `bad-name`, saying what is wrong
 */
export function checkSpaceName(name: string): void {
  const bad = (why: string) => new ProtocolError('bad-name', `space name ${why}`)
  if (name.length === 0) throw bad('is empty')
  if (name.length > LIMITS.spaceNameCharsMax) {
    throw bad(`has ${name.length} characters, at most ${LIMITS.spaceNameCharsMax} are allowed`)
  }
  if (FORBIDDEN.test(name)) throw bad('has a control character or a backslash')
  if (/\p{Surrogate}/u.test(name)) throw bad('is not well-formed Unicode')
  for (const segment of name.split('/')) {
    if (segment === '') throw bad('has an empty segment (a slash at an end, or two in a row)')
    if (segment === '.' || segment === '..') throw bad(`has the segment "${segment}"`)
  }
}

/** The space name as the path of a relay's URL, without a leading slash. */
export function spaceNameToPath(name: string): string {
  checkSpaceName(name)
  // encodeURI leaves alone what the URL parser leaves alone, so that stock clients, which don't
  // encode, and Skein agents ask a stock server for the same document.
  return encodeURI(name).replace(/[?#]/g, encodeURIComponent)
}

/**
 * The space name that a request path (with its leading slash, without query) asks for.
 * @throws ProtocolError `bad-name`
 */
export function spaceNameFromPath(path: string): string {
  if (path[0] !== '/') throw new ProtocolError('bad-name', 'request path does not start with a slash')
  let name: string
  try {
    name = decodeURIComponent(path.slice(1))
  } catch {
    throw new ProtocolError('bad-name', 'space name in the URL is not valid percent-encoded UTF-8')
  }
  checkSpaceName(name)
  return name
}
