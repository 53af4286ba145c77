/**
 * Every length, count and depth on the wire has a limit here, checked before anything is allocated.
 * A relay announces its own (possibly lower) frame and update limits in its hello.
 */
export const LIMITS = {
  /** Largest frame either side accepts, in bytes. A stock client sends a whole document as one step 2. */
  frameBytesMax: 64 * 1024 * 1024,
  /** Largest message, in bytes; one that is over the frame limit comes in chunks. */
  messageBytesMax: 512 * 1024 * 1024,
  /** Largest single update, in bytes; leaves room for the message head. */
  updateBytesMax: 512 * 1024 * 1024 - 1024,
  /** Largest part of a message in one chunk, in bytes: so much at a time is a sign of life on slow lines, too. */
  chunkBytesMax: 256 * 1024,
  /** Space (room) name: characters in UTF-16 units, 1 to this many. */
  spaceNameCharsMax: 128,
  /** Entries of one awareness message. */
  awarenessEntriesMax: 10_000,
  /** One client's awareness state, in bytes of JSON. */
  awarenessStateBytesMax: 64 * 1024,
  /** Clients named in one state vector, update or delete set. */
  clientsMax: 1_000_000,
  /** Nesting of a JSON-like value inside an update. Yjs itself recurses, so depth is stack there. */
  valueDepthMax: 128,
  /** Identifiers in a hello (agent, relay), in bytes of UTF-8. */
  idBytesMax: 128,
  /** Names a document's history, in a hello, in bytes of UTF-8. */
  epochBytesMax: 64,
  /** Names of features in a hello. */
  featuresMax: 64,
  /** The human-readable part of a rejection or denial, in bytes of UTF-8. */
  reasonBytesMax: 1024,
  /** A key of the strong region, in bytes of UTF-8. */
  strongKeyBytesMax: 512,
  /** A value there, in bytes of JSON: all acceptors write it to disk with every change of its key. */
  strongValueBytesMax: 64 * 1024,
  /** Prefixes that a space declares as strong. */
  strongPrefixesMax: 32,
  /** Each of them, in bytes of UTF-8. */
  strongPrefixBytesMax: 128,
  /** The longest that a relay is asked to work on a strong request, in milliseconds. */
  strongDeadlineMsMax: 600_000,
} as const
