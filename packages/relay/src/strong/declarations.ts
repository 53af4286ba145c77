import type { Entry } from '@skein/paxos'
import { checkPrefixes } from './check.js'
import type { ExecuteOptions, StrongRegion } from './region.js'
import { StrongError } from './strong-error.js'

/** Spaces whose declaration is kept in memory; that of others is read again. */
const CACHED_MAX = 65_536
/** How long an answer, or a lack of one, is good enough for who does not wait for it. */
const ASK_AGAIN_MS = 10_000
const LEARN_WITHIN_MS = 10_000

/**
 * Which keys of a space are strong: a list of prefixes in a register of the space's own, decided once and
 * never changed. Until it is decided, the prefixes that new spaces start with stand for it.
 */
export class Declarations {
  private readonly decided = new Map<string, readonly string[]>()
  /** When the declaration of a space that has none was last asked for. */
  private readonly askedMs = new Map<string, number>()
  private lastSequence = 0

  constructor(
    private readonly region: StrongRegion,
    private readonly defaults: readonly string[],
  ) {}

  /** By what is known now, without asking anybody. */
  isStrong(space: string, key: string): boolean {
    return isDefaultKey(space, key) || hasPrefix(this.decided.get(space) ?? this.defaults, key)
  }

  /** Whether it is known what was decided for a space. */
  isKnown(space: string): boolean {
    return this.decided.has(space)
  }

  /** Asks for the prefixes without waiting for them, unless they are known or were asked for lately. */
  learn(space: string): void {
    const nowMs = performance.now()
    if (this.decided.has(space) || nowMs - (this.askedMs.get(space) ?? -ASK_AGAIN_MS) < ASK_AGAIN_MS) return
    if (this.askedMs.size >= CACHED_MAX) this.askedMs.clear()
    this.askedMs.set(space, nowMs)
    this.read(space, { withinMs: LEARN_WITHIN_MS }).then(
      (prefixes) => {
        if (prefixes !== undefined) this.askedMs.delete(space)
      },
      () => {},
    )
  }

  /** The prefixes; undefined where nobody has declared any yet. @throws StrongError `unavailable` */
  async read(space: string, options: ExecuteOptions): Promise<readonly string[] | undefined> {
    const known = this.decided.get(space)
    if (known !== undefined) return known
    const outcome = await this.region.execute(registerOf(space), { kind: 'read' }, options)
    if (outcome.kind !== 'value') throw noQuorum()
    return this.learned(space, outcome.current)
  }

  /** The prefixes; where there are none yet those of new spaces are decided, if there are any. @throws StrongError */
  async readOrDecide(space: string, options: ExecuteOptions): Promise<readonly string[]> {
    const known = await this.read(space, options)
    if (known !== undefined || this.defaults.length === 0) return known ?? []
    return this.declare(space, this.defaults, options)
  }

  /** Decides the prefixes, unless they are decided. Returns those that hold. @throws StrongError */
  async declare(
    space: string,
    prefixes: readonly string[],
    options: ExecuteOptions,
  ): Promise<readonly string[]> {
    const wanted = checkPrefixes(prefixes)
    const known = await this.read(space, options)
    if (known !== undefined) return known
    const outcome = await this.region.execute(
      registerOf(space),
      {
        kind: 'write',
        id: { client: `${this.region.clientId}/declare`, sequence: ++this.lastSequence },
        since: 0,
        settled: 0,
        condition: { kind: 'absent' },
        data: JSON.stringify(wanted),
        keepsFence: false,
      },
      options,
    )
    switch (outcome.kind) {
      case 'done':
        this.keep(space, wanted)
        return wanted
      case 'conflict': {
        const decided = this.learned(space, outcome.current)
        if (decided !== undefined) return decided
        throw noQuorum()
      }
      case 'unknown':
        // Whoever asks again finds out: it was declared, or it is declared then.
        throw new StrongError('unknown', 'nobody knows yet whether the declaration was made; ask again')
      default:
        throw noQuorum()
    }
  }

  /**
   * Makes sure that the key is strong for good before it is used: what a space starts with is decided by
   * its first use.
   * @throws StrongError `not-strong`, `unavailable`, `unknown`
   */
  async ensure(space: string, key: string, options: ExecuteOptions): Promise<void> {
    const decided = await this.read(space, options)
    if (decided === undefined && hasPrefix(this.defaults, key)) {
      try {
        await this.declare(space, this.defaults, options)
      } catch (error) {
        // The operation that waits for this was not begun.
        throw error instanceof StrongError && error.code === 'unknown' ? noQuorum() : error
      }
    }
    if (!this.isStrong(space, key)) throw notStrong(key)
  }

  /** True where nothing has to be asked; false where `ensure` has to. @throws StrongError `not-strong` */
  isEnsured(space: string, key: string): boolean {
    if (isDefaultKey(space, key)) return true
    const decided = this.decided.get(space)
    if (decided === undefined) return false
    if (!hasPrefix(decided, key)) throw notStrong(key)
    return true
  }

  private learned(space: string, { value }: Entry): readonly string[] | undefined {
    if (value === undefined) return undefined
    const prefixes = JSON.parse(value) as readonly string[]
    this.keep(space, prefixes)
    return prefixes
  }

  private keep(space: string, prefixes: readonly string[]): void {
    if (this.decided.size >= CACHED_MAX) {
      for (const oldest of this.decided.keys()) {
        this.decided.delete(oldest)
        break
      }
    }
    this.decided.set(space, prefixes)
  }
}

/** The space and key of the plain interface (`/state`), strong without being declared. */
export const DEFAULT_SPACE = 'default'
export const DEFAULT_KEY = 'state'

export function isDefaultKey(space: string, key: string): boolean {
  return key === DEFAULT_KEY && space === DEFAULT_SPACE
}

function registerOf(space: string): string {
  return `${space}\0`
}

function hasPrefix(prefixes: readonly string[], key: string): boolean {
  return prefixes.some((prefix) => key.startsWith(prefix))
}

function noQuorum(): StrongError {
  return new StrongError(
    'unavailable',
    'there is no quorum to ask which keys are strong; nothing was applied',
  )
}

function notStrong(key: string): StrongError {
  return new StrongError(
    'not-strong',
    `the key "${key}" is not declared strong in this space; write it to the shared state`,
  )
}
