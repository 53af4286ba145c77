import * as paxos from '@skein/paxos'
import { explore } from './explore.js'
import { SCOPES } from './scopes.js'

for (const scope of SCOPES) {
  const startMs = performance.now()
  const { states, isComplete, violation } = explore(paxos, scope)
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1)
  const how =
    violation === undefined
      ? isComplete
        ? 'all of them'
        : 'as many as were allowed'
      : `${violation.check}: ${violation.message}`
  console.log(`${scope.name.padEnd(34)}${String(states).padStart(9)} states in ${seconds} s, ${how}`)
  if (violation !== undefined) process.exitCode = 1
}
