import { Client, type Ending, type WriteWish } from './client.js'
import type { World } from './world.js'

/** A client that reads and writes at random until it is told to stop. */
export class Worker {
  readonly client: Client
  operations = 0
  private isStopped = false
  private readonly seen = new Map<string, { version: number; fence: number }>()
  private lastValue = 0

  constructor(
    private readonly world: World,
    name: string,
  ) {
    this.client = new Client(world, name)
  }

  stop(): void {
    this.isStopped = true
  }

  begin(): void {
    const { random, swarm, events } = this.world
    events.after(random.around(swarm.thinkMs), () => {
      if (this.isStopped) return
      this.operations++
      const key = random.pick(this.world.keys)
      const wish = random.chance(0.35) ? ({ kind: 'read' } as const) : this.write(key)
      this.client.perform(key, wish, 1 + random.below(3), (ending) => {
        this.learn(key, ending)
        this.begin()
      })
    })
  }

  private learn(key: string, ending: Ending): void {
    if (ending === undefined || ending.kind === 'not applied') return
    this.seen.set(key, ending)
  }

  private write(key: string): WriteWish {
    const { random } = this.world
    const { version, fence } = this.seen.get(key) ?? { version: 0, fence: 0 }
    const data = random.chance(0.2) ? undefined : `${this.client.name}${++this.lastValue}`
    const keepsFence = random.chance(0.1)
    const write = { kind: 'write', data, keepsFence } as const
    switch (random.below(8)) {
      case 0:
        return { ...write, condition: { kind: 'absent' } }
      case 1:
        return { ...write, condition: { kind: 'present' } }
      case 2:
        return { ...write, condition: { kind: 'fence', fence } }
      case 3:
      case 4:
        return { ...write, condition: { kind: 'version', version } }
      default:
        return { ...write, condition: undefined }
    }
  }
}
