import { useEffect } from 'react'
import { FIELDS } from '../../model/fields.js'
import { desiredKey, domainOf, type EntityId } from '../../model/keys.js'
import type { Overwritten } from '../edits.js'
import { useAgent } from '../hooks/agent.js'
import { useSource } from '../hooks/source.js'
import { useHome, useKey, useStatus } from '../hooks/space.js'
import { Icon } from './Icon.js'

/** Long enough to be read and answered, short enough to be in nobody's way. */
const NOTICE_MS = 30_000

/** What a person should know now: values of theirs that were replaced. */
export function Notices() {
  const { edits } = useAgent()
  const notices = useSource(edits.notices)
  return (
    <div className="notices" role="status" data-testid="notices">
      {notices.map((notice) => (
        <OverwrittenNotice key={notice.id} notice={notice} />
      ))}
    </div>
  )
}

function OverwrittenNotice({ notice }: { notice: Overwritten }) {
  const { edits } = useAgent()
  const { entity, field, mine } = notice
  const now = useKey(desiredKey(entity, field))
  const name = useName(entity)
  const known = FIELDS[domainOf(entity)][field]
  const format = (value: typeof mine) => known?.format(value) ?? String(value)
  useEffect(() => {
    const timer = setTimeout(() => edits.dismiss(notice.id), NOTICE_MS)
    return () => clearTimeout(timer)
  }, [edits, notice.id])
  return (
    <div
      className="notice"
      data-testid="overwritten"
      data-entity={entity}
      data-field={field}
      data-value={String(now)}
    >
      <p>
        <strong>Yours was overwritten.</strong> {name}: {known?.label ?? field} is{' '}
        <b>{now === undefined ? 'unset' : format(now)}</b> now, you had set {format(mine)}.
      </p>
      <button type="button" className="text-button" onClick={() => edits.want(entity, { [field]: mine })}>
        Set mine again
      </button>
      <button type="button" className="round" aria-label="Dismiss" onClick={() => edits.dismiss(notice.id)}>
        <Icon name="close" size={18} />
      </button>
    </div>
  )
}

/** Something is wrong with this agent's connection or store. */
export function Trouble() {
  const { error } = useStatus()
  if (!error) return null
  return (
    <p className="trouble" role="alert" data-testid="error" data-code={error.code}>
      {error.message}
    </p>
  )
}

/** An entity's name with its area's, as several areas have a ceiling. */
function useName(entity: EntityId): string {
  for (const area of useHome()) {
    const found = area.entities.find((it) => it.id === entity)
    if (found) return `${area.name}, ${found.name}`
  }
  return entity
}
