/** The wire between Skein agents and relays. Rules and byte layouts: SPEC.md. */
export { CLOSE, isFinalCloseCode } from './close-codes.js'
export {
  decodeChunked,
  decodeFrame,
  encodeFrame,
  type HurryMessage,
  MESSAGE_IDS,
  type Message,
  type QueryAwarenessMessage,
  type UnknownMessage,
} from './codec.js'
export { ProtocolError, type ProtocolErrorCode } from './error.js'
export { LIMITS } from './limits.js'
export type { AckMessage, AckTier } from './messages/ack.js'
export type { AuthDeniedMessage } from './messages/auth.js'
export {
  AWARENESS_NULL,
  type AwarenessEntry,
  type AwarenessMessage,
  isAwarenessNull,
  readAwarenessEntries,
  writeAwarenessEntries,
} from './messages/awareness.js'
export type { ChunkMessage } from './messages/chunk.js'
export {
  agreedVersion,
  CHUNKS_FEATURE,
  type HelloMessage,
  PROTOCOL_VERSION,
  QUORUM_FEATURE,
  STANDBY_FEATURE,
  STRONG_FEATURE,
} from './messages/hello.js'
export type { NewsMessage } from './messages/news.js'
export type { NumberedUpdateMessage } from './messages/numbered-update.js'
export type { PingMessage } from './messages/ping.js'
export type { PongMessage } from './messages/pong.js'
export type { ReceivedMessage } from './messages/received.js'
export type { RejectCode, RejectMessage } from './messages/reject.js'
export type { StandbyMessage } from './messages/standby.js'
export type {
  StrongAnswer,
  StrongAnswerMessage,
  StrongRefusalCode,
  StrongUnavailableReason,
} from './messages/strong-answer.js'
export type { StrongEventMessage } from './messages/strong-event.js'
export type {
  StrongCondition,
  StrongRequest,
  StrongRequestMessage,
  StrongWrite,
} from './messages/strong-request.js'
export type { StrongEntry, StrongOperationId } from './messages/strong-values.js'
export type { SyncMessage } from './messages/sync.js'
export { NEGOTIATION_PARAM, NEGOTIATION_VALUE } from './negotiation.js'
export { checkSpaceName, spaceNameFromPath, spaceNameToPath } from './space-name.js'
export { type DeleteSet, DIGEST_BYTES, digestOf } from './yjs/digest.js'
export { scanUpdate, type UpdateSink } from './yjs/scan-update.js'
export { decodeStateVector, encodeStateVector, type StateVector } from './yjs/state-vector.js'
