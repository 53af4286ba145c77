import path from 'node:path'
import { Namespace, whyNoNetem } from './namespace.js'

/** Runs the bench with real processes in a namespace whose loopback netem shapes; says so where it cannot. */
export async function netemPaths(args: readonly string[]): Promise<void> {
  const whyNot = whyNoNetem()
  if (whyNot !== undefined) {
    console.log(`SKIPPED: bench paths --netem was not run, nothing was measured: ${whyNot}`)
    console.log('bench paths --proxy measures the same over lines that a proxy makes, without any rights.')
    return
  }
  const namespace = Namespace.add()
  // Who runs in it is told, and this goes on when they have ended.
  const stop = () => namespace.stop()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    const cli = path.resolve(import.meta.dirname, '../../cli.js')
    process.exitCode = await namespace.run(cli, ['paths', ...args, '--inside'])
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    namespace.remove()
  }
}
