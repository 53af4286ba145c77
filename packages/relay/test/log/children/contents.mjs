/** The update that belongs to a position: its name, then up to 12 KB that repeat it. */
export function updateAt(room, position) {
  const name = `${room}@${position};`
  const times = 1 + ((position * 7919 + room.length) % 50 === 0 ? 900 : (position * 31) % 20)
  return new TextEncoder().encode(name.repeat(times))
}
