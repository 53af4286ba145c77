/**
 * WebSocket close codes that a relay uses. 4400-4499 are final: stock y-websocket 3.1 clients and
 * Skein agents stop and report them, because trying again would meet the same answer. Everything else
 * is transient and answered by a reconnect with backoff.
 */
export const CLOSE = {
  /** The relay is stopping or restarting. Come back. */
  restart: 1012,
  /** The relay is overloaded, or this reader too slow. Come back later. */
  tryLater: 1013,
  /** A frame over the frame limit, as `ws` itself reports it. Agents treat it as final. */
  frameTooLarge: 1009,
  /** A frame that cannot be decoded. */
  malformedFrame: 4400,
  /** The page that connects is of an origin that the relay does not serve. */
  originNotAllowed: 4403,
  /** A space name that the relay does not accept. */
  badSpaceName: 4404,
  /** The two sides have no protocol version in common. */
  noCommonVersion: 4406,
  /** The replica and the relay's are of different epochs of the space: they must not be merged. */
  wrongEpoch: 4409,
  /** The relay lacks what it has confirmed: an agent leaves it with this. */
  unfaithful: 4410,
  /** An update that is not a Yjs update, from a client that cannot be told in any other way. */
  malformedUpdate: 4422,
  /** An update that writes a strong key, from a client that cannot be told in any other way. */
  strongKey: 4423,
  /** The relay cannot load this space; its operator has to mend it. Other spaces are not affected. */
  spaceUnavailable: 4500,
} as const

/** Whether a close code means that reconnecting cannot help. */
export function isFinalCloseCode(code: number): boolean {
  return (code >= 4400 && code < 4500) || code === CLOSE.frameTooLarge
}
