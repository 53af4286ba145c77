/**
 * 32 hexadecimal digits that nobody else has: 128 random bits. `crypto.randomUUID` would do as well, but browsers
 * offer it to pages of secure contexts only, and not to those of `http://192.168.1.2`.
 */
export function randomId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
