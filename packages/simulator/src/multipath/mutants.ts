import type { Verdict } from '../mutants/gate.js'
import { loadPatched } from '../mutants/load-mutant.js'
import { type SeededMutant, trySeeds } from '../mutants/try-seeds.js'
import { runMultipathSeed } from './run-multipath-seed.js'
import type { SyncModule } from './sync-module.js'

function patch(
  name: string,
  file: string,
  find: string,
  replace: string,
  seeds: readonly number[] = [],
): SeededMutant {
  return { name, patch: { file, find, replace }, seeds }
}

const SESSION = 'paths/multipath-session.js'
const NEWS = 'paths/standby-news.js'

/**
 * Of the session over several paths, of what it is made of, and of the room on the other side. Not among them is what
 * other rules make good in these worlds, in time: that what a closed path owes is sent again (the exchange brings it),
 * that a session which stands by answers (a comparison of digests does), and that a ping waits behind a full socket.
 */
export const MULTIPATH_MUTANTS: readonly SeededMutant[] = [
  patch('nobody takes over', SESSION, 'this.takePart(nowMs, switched.to);', ''),
  patch(
    'stands down before another is up to date',
    SESSION,
    'if (activeSession?.live !== true)\n            return;\n        for',
    'if (activeSession === undefined)\n            return;\n        for',
  ),
  patch('two take part', SESSION, 'this.take(nowMs, id, session.standDown());', ';'),
  patch(
    'given up, and never stands by',
    SESSION,
    'else if (session.live || isStarting(line))',
    'else if (session.live)',
    [2248],
  ),
  patch('a silent first path is waited for', SESSION, 'nowMs < silentFrom(line)', 'true', [173]),
  patch(
    'held edits dropped for any answer',
    SESSION,
    'if (id === this.active && line.session.answeredUpTo >= this.pace.heldUpTo)',
    'if (line.session.answeredUpTo > 0)',
    [365],
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
    [31],
  ),
  patch('received and lost with its path', SESSION, 'this.verifyUpTo = this.outbox.last;', '', [594]),
  patch(
    'news are not listened to',
    SESSION,
    'const { ask, late } = news.check(nowMs, this.replica);',
    'news.check(nowMs, this.replica);\n        const [ask, late] = [false, false];',
    [921],
  ),
  patch('a digest that differs is ignored', NEWS, 'if (own === this.digest) {', 'if (true) {', [838]),
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
    'not announced over the new path',
    'session.js',
    'send: [...standby, this.step1()], announce: true',
    'send: [...standby, this.step1()]',
    [126],
  ),
  patch(
    'seen to go with one of two paths',
    'room.js',
    'member.hasOtherPaths || member.relay !== undefined',
    'member.relay !== undefined',
    [107],
  ),
  patch(
    'no word of what is missing in between',
    'room-news.js',
    'digest !== undefined && digest === this.toldDigest',
    'digest === undefined || digest === this.toldDigest',
    [4585],
  ),
  patch(
    'acknowledged before it is on disk',
    'room-disks.js',
    'member.takeAcknowledged(this.committedPosition)',
    'member.takeAcknowledged(Number.POSITIVE_INFINITY)',
  ),
]

/** Runs worlds with the bug in it until a check finds it. */
export async function tryMultipathMutant(mutant: SeededMutant, seedsMax: number): Promise<Verdict> {
  const sync = await loadPatched<SyncModule>(mutant, '@skein/sync', '.', 'index.js')
  return trySeeds(mutant, seedsMax, (seed) => runMultipathSeed({ seed, sync }))
}
