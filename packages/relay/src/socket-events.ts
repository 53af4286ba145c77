import { CLOSE } from '@skein/protocol'
import type { WebSocket } from 'ws'
import type { RelayEvent } from './options.js'

/** Tells the operator that a connection is opened and closed, and what `ws` itself closes it for. */
export function reportSocket(socket: WebSocket, room: string, onEvent: (event: RelayEvent) => void): void {
  onEvent({ kind: 'connection-opened', room })
  socket.on('error', ({ code, message: reason }: NodeJS.ErrnoException) => {
    // Others come from the network; they are nobody's mistake.
    if (!code?.startsWith('WS_ERR_')) return
    onEvent({ kind: 'client-closed', room, code: CLOSE_CODES[code] ?? PROTOCOL_ERROR, reason })
  })
  socket.on('close', (code) => onEvent({ kind: 'connection-closed', room, code }))
}

const PROTOCOL_ERROR = 1002

/** The codes that `ws` closes a connection with after an error of its own. */
const CLOSE_CODES: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: CLOSE.frameTooLarge,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: CLOSE.frameTooLarge,
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
}
