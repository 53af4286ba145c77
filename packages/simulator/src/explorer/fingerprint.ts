/** A text that is the same for two objects of the same contents, whatever order their maps were filled in. */
export function fingerprint(value: unknown, skip: ReadonlySet<string>): string {
  return JSON.stringify(value, (name, part: unknown) => {
    if (skip.has(name) || typeof part === 'function') return undefined
    if (part instanceof Map) return [...part].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
    if (part instanceof Set) return [...part].sort()
    return part === Number.POSITIVE_INFINITY || part === Number.NEGATIVE_INFINITY ? String(part) : part
  })
}
