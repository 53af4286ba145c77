/**
 * How an agent says that it speaks Skein: the query parameter `skein=1` on the WebSocket URL. A relay
 * that knows it sends a hello as its first message; a stranger ignores it, sends none, and never gets a
 * message that stock clients would not send.
 *
 * Not a WebSocket subprotocol: `ws` without a handler selects whatever is offered first, so a stock
 * server would seem to agree, and browsers fail the connection to a server that selects nothing.
 */
export const NEGOTIATION_PARAM = 'skein'
export const NEGOTIATION_VALUE = '1'
