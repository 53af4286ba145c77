import { parseArgs } from 'node:util'
import { notAMemberId } from './check-options.js'
import { readMember, WrongArguments, wrong } from './cli-arguments.js'
import { isMemberId } from './cluster/hello.js'
import { RelayError } from './errors.js'

const TELL_EVERY_MS = 1_000

interface Replacement {
  readonly at: URL
  readonly body: { readonly remove?: string; readonly add?: { readonly id: string; readonly url: string } }
}

/**
 * `skein-relay replace`: asks a member to change the members, tells how far it is, and how it ended.
 * @throws WrongArguments; RelayError `replace-failed`
 */
export async function replace(args: readonly string[]): Promise<void> {
  const { at, body } = readReplacement(args)
  const timer = setInterval(() => void tellProgress(at), TELL_EVERY_MS)
  try {
    const answer = await ask(new URL('/v1/cluster/members', at), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    console.log(`members ${idsOf(answer.members)}`)
    console.log(`epoch   ${answer.epoch}`)
  } finally {
    clearInterval(timer)
  }
}

/** @throws WrongArguments */
export function readReplacement(args: readonly string[]): Replacement {
  const { at: given, remove, add } = parse(args)
  // Relays print where they listen as ws://.
  const at = given?.replace(/^ws:/i, 'http:')
  if (at === undefined)
    throw new WrongArguments('--at is missing: the URL of a member, like http://127.0.0.1:4001')
  if (!URL.canParse(at) || new URL(at).protocol !== 'http:') {
    throw new WrongArguments(`--at "${given}" is not the URL of a member, like http://127.0.0.1:4001`)
  }
  if (remove === undefined && add === undefined) throw new WrongArguments('--remove or --add is missing')
  if (remove !== undefined && !isMemberId(remove))
    throw new WrongArguments(`--remove ${notAMemberId(remove)}`)
  const body = {
    ...(remove === undefined ? {} : { remove }),
    ...(add === undefined ? {} : { add: readMember('--add', add) }),
  }
  return { at: new URL(at), body }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { at: { type: 'string' }, remove: { type: 'string' }, add: { type: 'string' } },
    }).values
  } catch (error) {
    throw wrong(error)
  }
}

async function tellProgress(at: URL): Promise<void> {
  const status = await ask(new URL('/v1/cluster', at)).catch(() => undefined)
  if (status?.change) console.log(`copied  ${status.change.copied} of ${status.change.found} keys`)
}

interface Answer {
  readonly members: readonly { readonly id: string }[]
  readonly epoch: number
  readonly change?: { readonly copied: number; readonly found: number }
}

async function ask(url: URL, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    const why = ((cause as Error).cause as Error | undefined)?.message ?? String(cause)
    throw failed(
      `no answer from ${url.origin} (${why}); the change may go on. Ask again, here or at another member`,
    )
  })
  const body = (await response.json().catch(() => ({}))) as Answer & { error?: { message: string } }
  if (response.ok) return body
  throw failed(body.error?.message ?? `${url.origin} answered ${response.status}`)
}

function idsOf(members: readonly { readonly id: string }[]): string {
  return members.map(({ id }) => id).join(', ')
}

function failed(message: string): RelayError {
  return new RelayError('replace-failed', message)
}
