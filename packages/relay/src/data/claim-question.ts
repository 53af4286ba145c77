import { connect } from 'node:net'

/** A relay that is busy for longer, or stopped by a debugger, still holds its directory. */
const ANSWER_MS = 5_000

/**
 * Asks the socket at `path` what its claim is:
 * - `dead`: nobody listens; the socket may be removed
 * - `gave-way`: its owner withdrew
 * - `holds`: its owner holds the directory, or is about to, or cannot be asked
 * @param weComeFirst whether an open claim has to give way to ours; then its decision is awaited
 */
export async function askClaim(path: string, weComeFirst: boolean): Promise<ClaimAnswer> {
  // No answer at all may come from a relay that is just closing, which the second question tells, or from
  // one that is out of file handles.
  return (await ask(path, weComeFirst)) ?? (await ask(path, weComeFirst)) ?? 'holds'
}

type ClaimAnswer = 'dead' | 'gave-way' | 'holds'

async function ask(path: string, weComeFirst: boolean): Promise<ClaimAnswer | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const finish = (answer: ClaimAnswer | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(finish, ANSWER_MS, 'holds')
    let hasAnswered = false
    socket.on('data', (bytes) => {
      hasAnswered = true
      if (bytes.includes('!') || !weComeFirst) finish('holds')
    })
    socket.on('close', () => finish(hasAnswered ? 'gave-way' : undefined))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') finish('dead')
      else if (error.code === 'ENOENT') finish('gave-way')
      else if (error.code === 'ECONNRESET') finish(hasAnswered ? 'gave-way' : undefined)
      // Not allowed to connect, or its queue is full: someone is there.
      else finish('holds')
    })
  })
}
