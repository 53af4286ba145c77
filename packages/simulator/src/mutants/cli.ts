import { tryMutant, verdictLine } from './gate.js'
import { MUTANTS } from './mutants.js'

const SEEDS_MAX = 5_000

let survived = 0
console.log(`${'mutant'.padEnd(44)}${'killed by'.padEnd(30)} after`)
for (const mutant of MUTANTS) {
  if (process.argv[2] !== undefined && !mutant.name.includes(process.argv[2])) continue
  const verdict = await tryMutant(mutant, SEEDS_MAX)
  console.log(verdictLine(verdict))
  if (verdict.killedBy === undefined) survived++
}
if (survived > 0) {
  console.error(`${survived} survived: there is a bug that nothing here would find`)
  process.exitCode = 1
}
