/** The update that belongs to a position, of 10 bytes to 12 KB. */
export function updateAt(room: string, position: number): Uint8Array
