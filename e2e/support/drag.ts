import type { Page } from '@playwright/test'
import type { PathSwitch } from '@skein/agent'
import type { AgentPage } from './agents.js'

/** When edit `n` of a drag was made, or had arrived, in milliseconds of `Date.now()`, which all pages here share. */
export interface NumberedEdit {
  readonly n: number
  readonly atMs: number
}

/** A slider under the mouse, and the edits that dragging it makes, each of which leaves a numbered key of its own. */
export class SliderDrag {
  private x = 0
  private step = 1

  private constructor(
    private readonly page: Page,
    private readonly box: { x: number; y: number; width: number; height: number },
  ) {}

  /** Takes the slider at its left end. `key` is what it writes. */
  static async begin(agent: AgentPage, testId: string, key: string): Promise<SliderDrag> {
    await agent.page.evaluate((wanted) => {
      const { space } = window.skein!
      const made: NumberedEdit[] = []
      const switches: PathSwitch[] = []
      Object.assign(window, { made, switches })
      space.onStatus(({ lastSwitch }) => {
        if (lastSwitch !== undefined && lastSwitch !== switches.at(-1)) switches.push(lastSwitch)
      })
      space.observe(wanted, ({ value, local }) => {
        if (!local || value === undefined) return
        const n = made.length
        made.push({ n, atMs: Date.now() })
        // Later positions replace earlier ones; these stay, so that each can be looked for.
        queueMicrotask(() => space.set(`drag/${n}`, value))
      })
    }, key)
    const slider = agent.page.getByTestId(testId)
    await slider.scrollIntoViewIfNeeded()
    const box = (await slider.boundingBox())!
    const drag = new SliderDrag(agent.page, box)
    await agent.page.mouse.move(box.x + 1, box.y + box.height / 2)
    await agent.page.mouse.down()
    return drag
  }

  /** Moves on, back and forth, until the condition holds. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    do {
      this.x += this.step
      if (this.x <= 0 || this.x >= 100) this.step = -this.step
      const { x, y, width, height } = this.box
      await this.page.mouse.move(x + (width * this.x) / 100, y + height / 2)
    } while (!(await holds()))
  }

  async end(): Promise<void> {
    await this.page.mouse.up()
  }

  made(): Promise<NumberedEdit[]> {
    return this.page.evaluate(() => (window as unknown as Dragged).made)
  }

  /** Changes of the active path since the drag began. */
  switches(): Promise<PathSwitch[]> {
    return this.page.evaluate(() => (window as unknown as Dragged).switches)
  }
}

/** What another agent sees of a drag: which edits have arrived, and how often the one who drags was not there. */
export class DragWitness {
  private constructor(private readonly page: Page) {}

  static async begin({ page }: AgentPage, dragger: string): Promise<DragWitness> {
    await page.evaluate((name) => {
      const { space } = window.skein!
      const seen = { arrived: [] as NumberedEdit[], absences: 0 }
      Object.assign(window, { seen })
      space.observe('drag/', ({ key }) => {
        seen.arrived.push({ n: Number(key.slice('drag/'.length)), atMs: Date.now() })
      })
      space.presence.observe((agents) => {
        if (!agents.some(({ state }) => state.name === name)) seen.absences++
      })
    }, dragger)
    return new DragWitness(page)
  }

  arrived(): Promise<NumberedEdit[]> {
    return this.page.evaluate(() => (window as unknown as Seen).seen.arrived)
  }

  absences(): Promise<number> {
    return this.page.evaluate(() => (window as unknown as Seen).seen.absences)
  }
}

interface Dragged {
  made: NumberedEdit[]
  switches: PathSwitch[]
}

interface Seen {
  seen: { arrived: NumberedEdit[]; absences: number }
}
