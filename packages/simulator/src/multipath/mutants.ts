import type { Verdict } from '../mutants/gate.js'
import { loadPatched } from '../mutants/load-mutant.js'
import { type SeededMutant, trySeeds } from '../mutants/try-seeds.js'
import { runMultipathSeed } from './run-multipath-seed.js'
import { FAULT_KINDS, type MultipathSwarm } from './swarm.js'
import type { SyncModule } from './sync-module.js'

/** A bug, and what worlds are about that are likely to show it. */
export interface MultipathMutant extends SeededMutant {
  readonly focus?: Focus
}

type Focus = (swarm: MultipathSwarm) => MultipathSwarm

function patch(name: string, file: string, find: string, replace: string, focus?: Focus): MultipathMutant {
  return { name, patch: { file, find, replace }, ...(focus === undefined ? {} : { focus }) }
}

/** Lines that are silent and break all the time, under edits. */
const shaken: Focus = (swarm) => ({
  ...swarm,
  isCalm: false,
  diskMs: 100,
  writers: swarm.agents,
  editEveryMs: 100,
  everyMs: { ...swarm.everyMs, hole: 400, break: 700, 'slow disk': 1_000 },
})

/** One fault at a time, and agents that only read. */
const calm: Focus = (swarm) => ({
  ...swarm,
  ...CALM,
  writers: 1,
  durationMs: 30_000,
  editEveryMs: 5_000,
  everyMs: { ...NO_FAULTS, hole: 3_000, break: 3_000 },
})

/** A relay throws away a part of what agents send. */
const liedTo: Focus = (swarm) => ({
  ...swarm,
  ...CALM,
  isCalm: false,
  writers: swarm.agents,
  everyMs: NO_FAULTS,
  lies: { dropped: 0.2, withheld: 0, isForGood: false },
})

const NO_FAULTS = Object.fromEntries(
  FAULT_KINDS.map((kind) => [kind, Number.POSITIVE_INFINITY]),
) as MultipathSwarm['everyMs']

const CALM = {
  isCalm: true,
  isNarrow: false,
  bulk: 0,
  timersLateMs: 0,
  lies: undefined,
  hasStranger: false,
  hasPlain: false,
} as const

const SESSION = 'paths/multipath-session.js'
const NEWS = 'paths/standby-news.js'

/**
 * Of the session over several paths, of what it is made of, and of the room on the other side. Not among them is what
 * other rules make good in these worlds, in time: that what a closed path owes is sent again (the exchange brings it),
 * that one which was given up stands by (another one is opened),
 * that a session which stands by answers (a comparison of digests does), and that a ping waits behind a full socket.
 */
export const MULTIPATH_MUTANTS: readonly MultipathMutant[] = [
  patch('nobody takes over', SESSION, 'this.takePart(nowMs, switched.to);', ''),
  patch(
    'stands down before another is up to date',
    SESSION,
    'if (activeSession?.live !== true)\n            return;\n        for',
    'if (activeSession === undefined)\n            return;\n        for',
  ),
  patch('two take part', SESSION, 'this.take(nowMs, id, session.standDown());', ';'),
  patch('a silent first path is waited for', SESSION, 'nowMs < silentFrom(line)', 'true', shaken),
  patch(
    'held edits dropped for any answer',
    SESSION,
    'if (id === this.active && line.session.answeredUpTo >= this.pace.heldUpTo)',
    'if (line.session.answeredUpTo > 0)',
    shaken,
  ),
  patch(
    'held edits do not go by themselves',
    SESSION,
    'this.sendHeld(nowMs, false);\n        return',
    'return',
  ),
  patch(
    'edits before a path is up to date dropped',
    SESSION,
    'if (activeSession !== undefined)\n                this.take(nowMs, active, activeSession.edit(update));',
    '',
    shaken,
  ),
  patch('received and lost with its path', SESSION, 'this.verifyUpTo = this.outbox.last;', '', shaken),
  patch(
    'news are not listened to',
    SESSION,
    'const { ask, late } = news.check(nowMs, this.replica);',
    'news.check(nowMs, this.replica);\n        const [ask, late] = [false, false];',
    calm,
  ),
  patch('a digest that differs is ignored', NEWS, 'if (own === this.digest) {', 'if (true) {', liedTo),
  patch(
    'confirmed because it was received',
    'numbered-updates.js',
    'arrived.push(...editsOf(this.arriving.shift()));',
    "const entry = this.arriving.shift();\n            for (const span of editsOf(entry))\n                this.outbox.confirmEdits(span.from, span.upTo, 'relay');\n            arrived.push(...editsOf(entry));",
  ),
  patch(
    'one disk taken for a majority',
    'numbered-updates.js',
    'this.outbox.confirmEdits(span.from, span.upTo, tier);',
    "this.outbox.confirmEdits(span.from, span.upTo, 'quorum');",
  ),
  patch(
    'edits in between taken for confirmed',
    'outbox.js',
    'while (beyond.delete(this.confirmedTo[tier] + 1))',
    'while (beyond.size > 0 && beyond.delete([...beyond][0]))',
  ),
  patch(
    'accused before it has confirmed',
    'relay-claims.js',
    'this.open = [];\n        this.wait(seq, clocks);',
    'this.open = [];\n        raise(this.confirmed, clocks);',
  ),
  patch(
    'claims counted across a gap',
    'relay-claims.js',
    'if (clock > known || clock + length <= known)',
    'if (clock + length <= known)',
  ),
  patch('a number left out', 'numbered-updates.js', 'this.seq++;', 'this.seq += this.seq === 4 ? 2 : 1;'),
  patch(
    'not announced where it did not stand down',
    SESSION,
    'switched.from !== undefined && switched.to !== undefined',
    'false',
    calm,
  ),
  patch(
    'seen to go with one of two paths',
    'room.js',
    'member.hasOtherPaths || member.relay !== undefined',
    'member.relay !== undefined',
    calm,
  ),
  patch(
    'no word of what is missing in between',
    'room-news.js',
    'digest !== undefined && digest === this.toldDigest',
    'digest === undefined || digest === this.toldDigest',
    liedTo,
  ),
  patch(
    'acknowledged before it is on disk',
    'room-disks.js',
    'member.takeAcknowledged(this.committedPosition)',
    'member.takeAcknowledged(Number.POSITIVE_INFINITY)',
  ),
  patch('one path is enough', 'paths/dialer.js', 'warmPaths: 2', 'warmPaths: 1'),
]

/** Runs worlds with the bug in it until a check finds it. */
export async function tryMultipathMutant(mutant: MultipathMutant, seedsMax: number): Promise<Verdict> {
  const sync = await loadPatched<SyncModule>(mutant, '@skein/sync', '.', 'index.js')
  const { focus } = mutant
  return trySeeds(mutant, seedsMax, (seed) =>
    runMultipathSeed({ seed, sync, ...(focus === undefined ? {} : { focus }) }),
  )
}
