import type { Verdict } from '../mutants/gate.js'
import { loadPatched } from '../mutants/load-mutant.js'
import { type SeededMutant, trySeeds } from '../mutants/try-seeds.js'
import { runPathSeed } from './run-path-seed.js'
import type { SchedulerModule } from './scheduler-module.js'

/** A bug in the choice of paths. */
export type PathMutant = SeededMutant

function patch(
  name: string,
  file: string,
  find: string,
  replace: string,
  seeds: readonly number[] = [],
): PathMutant {
  return { name, patch: { file, find, replace }, seeds }
}

/**
 * One for each rule of `packages/sync/SPEC.md`, A, that keeps messages safe or in time. Not among them are two that
 * these worlds hardly ever show: probes of silent paths (a late answer comes first; a test of A10 looks for them), and
 * what suspect paths owe (they are silent soon; tests of A3).
 */
export const PATH_MUTANTS: readonly PathMutant[] = [
  patch(
    'a message lost with its path',
    'scheduler.js',
    'this.sendLost(nowMs, out);\n        return out;',
    'return out;',
    [92],
  ),
  patch(
    'a reconnected path counts as having had it',
    'scheduler.js',
    'over.delete(id);\n        if (id === this.activeId)',
    ';\n        if (id === this.activeId)',
  ),
  patch('sent again after it was acknowledged', 'scheduler.js', 'this.inFlight.delete(message);', ''),
  patch('sent over a closed path', 'scheduler.js', '!path.isOpen || ', ''),
  patch('sent twice over one path', 'scheduler.js', 'this.best(message.over, message.bytes)', 'this.best()'),
  patch(
    'a closed path stays active',
    'scheduler.js',
    "if (id === this.activeId)\n            this.switchTo(nowMs, this.best(), 'closed', out);",
    '',
  ),
  patch('a silent path stays active', 'scheduler.js', "best.state !== 'silent'", 'false'),
  patch(
    'nothing is sent again after a switch',
    'scheduler.js',
    'if (!message.over.has(to.id))',
    'if (false)',
  ),
  patch('a missed deadline is not noticed', 'path.js', 'if (sent.deadlineMs > nowMs)', 'if (true)'),
  patch('a suspect path is never silent', 'path.js', "this.on('unanswered')", ''),
  patch(
    'an answer does not help',
    'path-state.js',
    "answered: 'good', missed: 'silent'",
    "answered: 'silent', missed: 'silent'",
  ),
  patch('hedges are not paid for', 'scheduler.js', 'this.hedgeBytes -= message.bytes', ''),
  patch('hedges without a limit', 'scheduler.js', 'if (message.bytes > this.hedgeBytes)', 'if (false)'),
  patch('critical messages over one path', 'scheduler.js', "traffic === 'critical' || wasIdle", 'wasIdle'),
  patch('bulk goes over two paths', 'scheduler.js', "if (traffic === 'bulk')\n            return out;", ''),
  patch(
    'a probe is due again at once',
    'path.js',
    'this.nextProbeMs = nowMs + Math.min(usualMs, PATH_LIMITS.probeNewMs * 2 ** this.probes);',
    'this.nextProbeMs = nowMs;\n            this.probe = undefined;',
  ),
]

/** Runs worlds with the bug in it until a check finds it. */
export async function tryPathMutant(mutant: PathMutant, seedsMax: number): Promise<Verdict> {
  const scheduler = await loadPatched<SchedulerModule>(mutant, '@skein/sync', 'paths', 'scheduler.js')
  return trySeeds(mutant, seedsMax, (seed) => runPathSeed({ seed, scheduler }))
}
