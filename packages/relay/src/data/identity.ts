import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RelayError } from '../errors.js'

export const IDENTITY_FILE = 'skein-relay.json'

/** What the identity file says. */
export interface Identity {
  readonly format: 'skein-relay-data'
  readonly version: number
  /** A UUID; the store bears it too. */
  readonly relayId: string
  /** ISO 8601, for people. */
  readonly createdAt: string
}

const FORMAT = 'skein-relay-data'
const VERSION = 1

export function newIdentity(): Identity {
  return {
    format: FORMAT,
    version: VERSION,
    relayId: crypto.randomUUID(),
    createdAt: new Date().toISOString(),
  }
}

/**
 * Reads the identity file of a directory; undefined where there is none.
 * @throws RelayError `data-version`, `data-corrupt`, `data-not-writable` where it cannot be read
 */
export async function readIdentity(directory: string): Promise<Identity | undefined> {
  const path = join(directory, IDENTITY_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const message = `cannot read ${path}: ${(cause as Error).message}`
    throw new RelayError('data-not-writable', message, { cause })
  }
  return checkIdentity(path, parse(text))
}

function parse(text: string): Partial<Record<keyof Identity, unknown>> {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

function checkIdentity(
  path: string,
  { format, version, relayId, createdAt }: ReturnType<typeof parse>,
): Identity {
  if (format === FORMAT && Number.isSafeInteger(version) && (version as number) > VERSION) {
    const what = `${path} is of version ${version}, this relay knows ${VERSION}`
    throw new RelayError('data-version', `${what}. Nothing was changed. Use a newer relay`)
  }
  if (format !== FORMAT || version !== VERSION || typeof relayId !== 'string' || relayId === '') {
    throw new RelayError(
      'data-corrupt',
      `${path} is not an identity file as a relay writes it. Nothing was changed. Restore it from a backup, ` +
        'or start on an empty directory: agents bring back what they have',
    )
  }
  return { format, version, relayId, createdAt: String(createdAt) }
}
