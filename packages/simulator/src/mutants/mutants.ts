import type { WorldBugs } from '../world.js'
import type { Patch } from './load-mutant.js'

/** A bug of one line, put into a copy of the compiled package, or into the driver that the world is. */
export interface Mutant {
  readonly name: string
  readonly patch?: Patch
  readonly bugs?: WorldBugs
  /** Worlds that are known to show it, tried first: only few of them do. */
  readonly seeds?: readonly number[]
}

function patch(name: string, file: string, find: string, replace: string): Mutant {
  return { name, patch: { file, find, replace } }
}

/**
 * Each was found in some published implementation, or here. Not among them is a copy without a round (M3):
 * the worlds that show it are too rare, and a test of the package itself does.
 */
export const MUTANTS: readonly Mutant[] = [
  patch('answers before it is on disk', 'acceptor.js', 'if (number <= this.persistedNumber)', 'if (true)'),
  patch(
    'cached promise kept after its use',
    'proposer.js',
    'const promise = this.promises.get(key);\n        this.promises.delete(key);',
    'const promise = this.promises.get(key);',
  ),
  patch(
    'hearing of a ballot lowers the counter',
    'proposer.js',
    'this.highest = maxBallot(this.highest, reply.promised)',
    'this.highest = reply.promised',
  ),
  patch(
    'equal ballot promised again',
    'acceptor.js',
    'compareBallots(ballot, promised) <= 0',
    'compareBallots(ballot, promised) < 0',
  ),
  patch(
    'accept does not raise the promise',
    'acceptor.js',
    'const promised = maxBallot(maxBallot(record.promised, ballot), next)',
    'const promised = record.promised',
  ),
  patch('accept below the promise', 'acceptor.js', 'compareBallots(ballot, record.promised) < 0 || ', ''),
  patch(
    "minority's value read",
    'key-reads.js',
    'if (!this.isQuorum(same.map(([id]) => id)))',
    'if (same.length === 0)',
  ),
  patch(
    'conflict told from a cached promise',
    'key-rounds.js',
    'promise.register, false, out',
    'promise.register, true, out',
  ),
  patch(
    'unchanged register not accepted again',
    'key-rounds.js',
    'this.isQuorum(new Map(agreeing)) &&',
    'true &&',
  ),
  {
    ...patch('latecomers told what promises showed', 'key-rounds.js', ' && !round.hasLatecomers', ''),
    seeds: [688],
  },
  {
    ...patch('conflict told while an accept is open', 'key-rounds.js', ' && !isOpen', ''),
    seeds: [10014861],
  },
  patch('retry applied twice', 'results.js', 'if (result !== undefined)\n', 'if (false)\n'),
  patch(
    'timeout told as unavailable',
    'key-rounds.js',
    'settle(pending, pending.mayHaveLanded ?',
    'settle(pending, false ?',
  ),
  patch(
    'repeated answers counted',
    'key-rounds.js',
    'if (!isQuorum(this.context.configuration, round.accepted))',
    'round.answers = (round.answers ?? 0) + 1;\n        if (round.answers * 2 <= this.context.configuration.members.length)',
  ),
  patch(
    "an older round's answers counted",
    'key-rounds.js',
    "if (round?.phase !== 'accept' || compareBallots(ballot, round.ballot) !== 0)",
    "if (round?.phase !== 'accept')",
  ),
  patch(
    "an older prepare's promises counted",
    'key-rounds.js',
    "if (round?.phase !== 'prepare' || compareBallots(promise.ballot, round.ballot) !== 0)",
    "if (round?.phase !== 'prepare')",
  ),
  patch(
    'restart under the same incarnation',
    'proposer.js',
    'this.highest = { counter, proposer, incarnation }',
    'this.highest = { counter, proposer, incarnation: 1 }',
  ),
  { name: 'blank disk under the same name', bugs: { rejoinsBlank: true } },
  patch(
    'watch goes back',
    'watches.js',
    'watch === undefined || version <= watch.version',
    'watch === undefined',
  ),
  patch(
    'one key copied',
    'membership-change.js',
    'const key = this.toCopy.shift();',
    'const key = this.toCopy.shift();\n            this.toCopy.length = 0;',
  ),
  patch('no key copied', 'membership-change.js', 'this.found.add(key);\n', 'continue;\n'),
  patch(
    'change over before it is installed',
    'membership-change.js',
    'if (!isQuorum(configuration, done))',
    'if (false)',
  ),
  patch(
    'lowest accepted taken',
    'key-rounds.js',
    'compareBallots(next.accepted, highest.accepted) > 0',
    'compareBallots(next.accepted, highest.accepted) < 0',
  ),
  patch(
    'joint quorum of the new members alone',
    'configuration.js',
    'return isMajority(members, ids) && (next',
    'return (next !== undefined || isMajority(members, ids)) && (next',
  ),
  patch(
    'joint quorum of the old members alone',
    'configuration.js',
    '(next === undefined || isMajority(next, ids))',
    'true',
  ),
  patch('epoch not checked', 'acceptor.js', 'if (request.epoch !== this.current.epoch)', 'if (false)'),
  patch(
    'forgotten operation applied again',
    'results.js',
    "return since < register.forgotten ? 'forgotten' : 'unknown'",
    "return 'unknown'",
  ),
  {
    ...patch(
      'settled operation applied again',
      'results.js',
      'record !== undefined && sequence <= record.settled',
      'false',
    ),
    seeds: [1495, 104827],
  },
  patch('eviction not noted', 'results.js', 'forgotten: newest', 'forgotten: 0'),
  patch(
    'fence not raised',
    'operations.js',
    'keepsFence ? register.fence : register.fence + 1',
    'register.fence',
  ),
  patch(
    'version begins anew after deletion',
    'operations.js',
    'const version = register.version + 1;\n    const fence',
    'const version = register.data === undefined ? 1 : register.version + 1;\n    const fence',
  ),
  patch(
    'giving up does not change the register',
    'operations.js',
    'register: forget(aborted)',
    'register: before',
  ),
  patch('condition not checked', 'operations.js', 'if (!holds(condition, register))', 'if (false)'),
  patch('promises kept over a change of members', 'proposer.js', 'this.promises.clear();', ''),
  patch(
    'round goes on over a change of members',
    'key-rounds.js',
    '    restart(nowMs, out) {\n        this.failRound();',
    '    restart(nowMs, out) {',
  ),
  patch(
    'forgotten told of what may be applied',
    'key-rounds.js',
    "result.kind === 'forgotten' && pending.mayHaveLanded",
    'false',
  ),
  patch('two changes under one id', 'participant.js', '++this.changeCount', '0'),
  patch(
    'epoch told before it is on disk',
    'acceptor.js',
    'Math.max(this.writing.get(key)?.number ?? 0, this.installNumber)',
    'this.writing.get(key)?.number ?? 0',
  ),
  patch(
    'read told before it is on disk',
    'acceptor.js',
    'Math.max(this.writing.get(key)?.number ?? 0, this.installNumber)',
    'this.installNumber',
  ),
  { name: 'lease taken before its term has ended', bugs: { takesLeaseEarly: true } },
]
