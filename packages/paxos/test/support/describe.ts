import {
  type ChangeOutcome,
  type Configuration,
  type Entry,
  formatBallot,
  type Outcome,
  type PeerMessage,
  type Register,
} from '../../src/index.js'
import type { Happening } from './cluster.js'

/** One line for each thing that a step brought about. */
export function describeHappening(happening: Happening, nameOf: (token: number) => string): string[] {
  if (happening.kind !== 'effects') {
    const { from, to, message } = happening.packet
    return happening.kind === 'lost' ? [`${from}->${to} lost: ${describeMessage(message)}`] : []
  }
  const { id, effects } = happening
  return [
    ...effects.persist.map((write) =>
      write.kind === 'record'
        ? `${id} writes ${write.key}: promised ${formatBallot(write.record.promised)}, accepted ${formatBallot(write.record.accepted)} ${describeRegister(write.record.register)}`
        : `${id} writes ${describeConfiguration(write.configuration)}`,
    ),
    ...bundle(effects.send).map(([to, line]) => `${id}->${to} ${line}`),
    ...effects.outcomes.map(({ token, outcome }) => `${id} ${nameOf(token)}: ${describeOutcome(outcome)}`),
    ...effects.learned.map(({ key, entry }) => `${id} learns ${key}: ${describeEntry(entry)}`),
    ...(effects.changed === undefined ? [] : [`${id} ${describeChange(effects.changed)}`]),
  ]
}

/** The same message to several members is one line. */
function bundle(
  envelopes: readonly { readonly to: string; readonly message: PeerMessage }[],
): [string, string][] {
  const lines = new Map<string, string[]>()
  for (const { to, message } of envelopes) {
    const line = describeMessage(message)
    lines.set(line, [...(lines.get(line) ?? []), to])
  }
  return [...lines].map(([line, to]) => [to.join(','), line])
}

export function describeMessage(message: PeerMessage): string {
  switch (message.kind) {
    case 'prepare':
      return `prepare ${message.key} ${formatBallot(message.ballot)}`
    case 'accept': {
      const { key, ballot, register, next } = message
      return `accept ${key} ${formatBallot(ballot)} ${describeRegister(register)}, next ${formatBallot(next)}`
    }
    case 'read':
      return `read ${message.key} #${formatBallot(message.round)}`
    case 'commit':
      return `commit ${message.key} ${formatBallot(message.ballot)}`
    case 'install':
      return `install ${describeConfiguration(message.configuration)}`
    case 'list':
      return `list behind '${message.after}'`
    case 'promised': {
      const { key, ballot, accepted, register } = message
      return `promised ${key} ${formatBallot(ballot)}, accepted ${formatBallot(accepted)} ${describeRegister(register)}`
    }
    case 'accepted':
      return `accepted ${message.key} ${formatBallot(message.ballot)}`
    case 'refused':
      return `refused ${message.key} ${formatBallot(message.ballot)} for ${formatBallot(message.promised)}`
    case 'current': {
      const { key, round, accepted, register } = message
      const what = register === undefined ? 'as known' : describeRegister(register)
      return `current ${key} #${formatBallot(round)}, accepted ${formatBallot(accepted)} ${what}`
    }
    case 'other-epoch':
      return `other-epoch ${describeConfiguration(message.configuration)}`
    case 'installed':
      return `installed epoch ${message.epoch}`
    case 'listed':
      return `listed ${message.keys.map(readable).join(' ')}${message.isLast ? '' : ' ...'}`
  }
}

function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'done':
      return `done v${outcome.version} f${outcome.fence}`
    case 'unavailable':
      return `unavailable (${outcome.reason})`
    case 'unknown':
      return 'unknown'
    case 'conflict':
    case 'value':
    case 'aborted':
    case 'forgotten':
      return `${outcome.kind} ${describeEntry(outcome.current)}`
  }
}

function describeChange({ kind, configuration }: ChangeOutcome): string {
  return `is told ${kind}: ${describeConfiguration(configuration)}`
}

function describeConfiguration({ epoch, members, next }: Configuration): string {
  const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id).join(',')
  return `epoch ${epoch} ${ids(members)}${next === undefined ? '' : ` and ${ids(next)}`}`
}

function describeRegister({ data, version, fence }: Register): string {
  return describeEntry({ value: data, version, fence })
}

function describeEntry({ value, version, fence }: Entry): string {
  const text =
    value === undefined ? '-' : isConfiguration(value) ? describeConfiguration(JSON.parse(value)) : value
  return `v${version} f${fence} ${text}`
}

const isConfiguration = (value: string) => value.startsWith('{"epoch"')

/** Keys of the package's own begin with a zero. */
export function readable(text: string): string {
  return text.replaceAll('\0', '~')
}
