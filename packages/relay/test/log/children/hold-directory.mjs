// Opens a data directory, prints `held` or the error's code, and stays until it is killed. Argument: directory.
import { openDataDirectory } from '../../../dist/data/data-directory.js'

await openDataDirectory(process.argv[2]).then(
  () => console.log('held'),
  (error) => console.log(error.code ?? error),
)
process.stdin.resume()
