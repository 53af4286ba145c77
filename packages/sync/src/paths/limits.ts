/** What the choice between paths goes by. Times in milliseconds, sizes in bytes. */
export const PATH_LIMITS = {
  /** Messages that wait for an acknowledgement over any path; more are not taken. */
  inFlightMax: 4_096,
  /** An acknowledgement that takes longer than this, or than the path's usual, is missed. */
  deadlineMsMin: 200,
  /** The same before anything was measured. */
  deadlineMsUnknown: 1_000,
  /** Bytes on their way or in the socket from which another path is taken at once. */
  backlogBytesMax: 256 * 1024,
  /** Bytes that wait in a socket whose line is busy: only then what is delivered tells what it can carry. */
  saturatedBytes: 16 * 1024,
  /** Another path has to score this many times the present one's, */
  betterBy: 1.25,
  /** in this many samples in a row, */
  betterSamples: 3,
  /** this long after the last switch. */
  switchAfterMs: 2_000,
  /** Added to every delay that is compared: nobody notices less, be it many times as much as another. */
  unnoticedMs: 20,
  /** Pause between two samples while anything is sent. */
  sampleEveryMs: 250,
  /** Pause between two probes of a path while anything is sent, and while nothing is. */
  probeEveryMs: 1_000,
  probeIdleMs: 10_000,
  /** A new path is probed with pauses that double from this. */
  probeNewMs: 250,
  /** Nothing was sent for so long: what comes then goes over two paths. */
  idleMs: 10_000,
  /** A silent path is probed with pauses that double from the first to the second. */
  probeSilentMs: 200,
  probeSilentMsMax: 10_000,
  /** Only what takes so much longer than the median is hedged: on a fast path less is noise. */
  hedgeLateMs: 10,
  /** Share of the bytes of interactive messages that hedges may add. */
  hedgeShare: 0.05,
  /** Bytes that hedges may add at first, and at most after a while without one. */
  hedgeBytesFirst: 1_024,
  hedgeBytesMax: 16 * 1024,
} as const
