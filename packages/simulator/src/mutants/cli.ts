import { MULTIPATH_MUTANTS, tryMultipathMutant } from '../multipath/mutants.js'
import { PATH_MUTANTS, tryPathMutant } from '../paths/mutants.js'
import { tryMutant, type Verdict, verdictLine } from './gate.js'
import { MUTANTS } from './mutants.js'

const SEEDS_MAX = 5_000

let survived = 0
console.log(`${'mutant'.padEnd(44)}${'killed by'.padEnd(30)} after`)
const isWanted = ({ name }: { readonly name: string }) =>
  process.argv[2] === undefined || name.includes(process.argv[2])
for (const mutant of MUTANTS.filter(isWanted)) tell(await tryMutant(mutant, SEEDS_MAX))
for (const mutant of PATH_MUTANTS.filter(isWanted)) tell(await tryPathMutant(mutant, SEEDS_MAX))
for (const mutant of MULTIPATH_MUTANTS.filter(isWanted)) tell(await tryMultipathMutant(mutant, SEEDS_MAX))
if (survived > 0) {
  console.error(`${survived} survived: there is a bug that nothing here would find`)
  process.exitCode = 1
}

function tell(verdict: Verdict): void {
  console.log(verdictLine(verdict))
  if (verdict.killedBy === undefined) survived++
}
