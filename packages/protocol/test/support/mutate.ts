import type { Random } from './random.js'

/** `bytes` with one to four small changes; some splice in a piece of `donor`. */
export function mutate(random: Random, bytes: Uint8Array, donor: Uint8Array): Uint8Array {
  const out = [...bytes]
  for (let changes = random.int(1, 4); changes > 0; changes--) change(random, out, donor)
  return Uint8Array.from(out)
}

function change(random: Random, bytes: number[], donor: Uint8Array): void {
  const at = random.int(0, Math.max(0, bytes.length - 1))
  const before = bytes[at] ?? 0
  switch (random.int(0, 7)) {
    case 0:
      bytes[at] = random.int(0, 255)
      return
    case 1:
      bytes[at] = before ^ (1 << random.int(0, 7))
      return
    case 2:
      bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff])
      return
    case 3:
      bytes[at] = (before + random.pick([1, 255])) & 0xff
      return
    case 4:
      bytes.splice(at, random.int(1, 3))
      return
    case 5:
      bytes.splice(at, 0, ...random.bytes(random.int(1, 3)))
      return
    case 6: {
      const from = random.int(0, donor.length)
      bytes.splice(at, random.int(0, 4), ...donor.subarray(from, from + random.int(0, 12)))
      return
    }
    default:
      bytes.length = at
  }
}
