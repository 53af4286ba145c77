import { type RefObject, useLayoutEffect, useState } from 'react'

interface Middles {
  /** Of each child, in pixels from the top of the list. */
  readonly middles: readonly number[]
  /** Of the room beside the list that is drawn in, and the list's height. */
  readonly width: number
  readonly height: number
}

const NOTHING: Middles = { middles: [], width: 1, height: 1 }

/** Where the rows of a list are, for what is drawn in the element before it; measured again whenever a size changes. */
export function useMiddles(list: RefObject<HTMLElement | null>, count: number): Middles {
  const [measured, setMeasured] = useState(NOTHING)
  useLayoutEffect(() => {
    const element = list.current
    const beside = element?.previousElementSibling
    if (!element || !beside || count === 0) return
    const measure = () => {
      const next = measureRows(element, beside)
      setMeasured((last) => (JSON.stringify(last) === JSON.stringify(next) ? last : next))
    }
    measure()
    const observer = new ResizeObserver(measure)
    for (const it of [element, beside, ...element.children]) observer.observe(it)
    return () => observer.disconnect()
  }, [list, count])
  return measured
}

function measureRows(list: HTMLElement, beside: Element): Middles {
  const room = beside.getBoundingClientRect()
  const middles = [...list.children].map((row) => {
    const mark = (row.firstElementChild ?? row).getBoundingClientRect()
    return Math.round(mark.top + mark.height / 2 - room.top)
  })
  return { middles, width: Math.max(1, Math.round(room.width)), height: Math.max(1, Math.round(room.height)) }
}
