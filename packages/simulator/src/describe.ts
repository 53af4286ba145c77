import { formatBallot, type PeerMessage } from '@skein/paxos'
import { show } from './checks/key-check.js'

/** A message in a line of the log. */
export function describeMessage(message: PeerMessage): string {
  return describe(message).replaceAll('\0', '')
}

function describe(message: PeerMessage): string {
  switch (message.kind) {
    case 'prepare':
      return `prepare ${message.key} ${formatBallot(message.ballot)} e${message.epoch}`
    case 'accept':
      return `accept ${message.key} ${formatBallot(message.ballot)} ${show(message.register)} next ${formatBallot(message.next)} e${message.epoch}`
    case 'read':
      return `read ${message.key} #${formatBallot(message.round)} e${message.epoch}`
    case 'commit':
      return `commit ${message.key} ${formatBallot(message.ballot)}`
    case 'promised':
      return `promised ${message.key} ${formatBallot(message.ballot)} has ${formatBallot(message.accepted)} ${show(message.register)}`
    case 'accepted':
      return `accepted ${message.key} ${formatBallot(message.ballot)}`
    case 'refused':
      return `refused ${message.key} ${formatBallot(message.ballot)} for ${formatBallot(message.promised)}`
    case 'current':
      return `current ${message.key} #${formatBallot(message.round)} ${formatBallot(message.accepted)}`
    case 'install':
    case 'other-epoch':
      return `${message.kind} e${message.configuration.epoch} ${membersText(message.configuration)}`
    case 'installed':
      return `installed e${message.epoch}`
    case 'list':
      return `list e${message.epoch}`
    case 'listed':
      return `listed ${message.keys.join(' ')}${message.isLast ? '' : ' ...'}`
  }
}

function membersText({
  members,
  next,
}: {
  readonly members: readonly { readonly id: string }[]
  readonly next?: readonly { readonly id: string }[]
}): string {
  const text = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id).join('')
  return next === undefined ? text(members) : `${text(members)}->${text(next)}`
}
