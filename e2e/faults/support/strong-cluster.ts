import { CutLink } from './cut-link.js'
import { RelayProcess, temporaryDirectory } from './relay-process.js'
import type { After } from './until.js'

export const RELAYS = ['r1', 'r2', 'r3'] as const
export type RelayId = (typeof RELAYS)[number]

export interface ClusterOptions {
  readonly prefix: string
  /** Where a relay has its directory; a temporary one unless given. */
  readonly data?: Partial<Record<RelayId, string>>
  readonly wrapper?: (id: RelayId) => readonly string[]
}

/** Three relays, each in its process, each reaching each other one through a link that can be cut. */
export class StrongCluster {
  private readonly relays = new Map<RelayId, RelayProcess>()
  /** Of the processes there are now; those of earlier ones would pile up in a long run. */
  private readonly cleanUps = new Map<RelayId, () => void | Promise<void>>()
  /** Ports of those that the links of a relay lead to in its place. */
  private readonly impostors = new Map<RelayId, number>()
  /** By who connects and to whom. */
  private readonly links = new Map<string, CutLink>()

  private constructor(
    readonly data: Readonly<Record<RelayId, string>>,
    private readonly options: ClusterOptions,
  ) {}

  static async start(after: After, options: ClusterOptions): Promise<StrongCluster> {
    const data = Object.fromEntries(
      RELAYS.map((id) => [id, options.data?.[id] ?? temporaryDirectory(after)]),
    ) as Record<RelayId, string>
    const cluster = new StrongCluster(data, options)
    after(async () => {
      for (const cleanUp of cluster.cleanUps.values()) await cleanUp()
    })
    for (const from of RELAYS) {
      for (const to of others(from)) {
        const link = await CutLink.open(
          after,
          () => cluster.impostors.get(to) ?? cluster.relays.get(to)?.port,
        )
        cluster.links.set(`${from}>${to}`, link)
      }
    }
    await Promise.all(RELAYS.map((id) => cluster.startRelay(id)))
    return cluster
  }

  relay(id: RelayId): RelayProcess {
    return this.relays.get(id)!
  }

  /** Also again after a kill, on the same directory and port. */
  async startRelay(id: RelayId): Promise<RelayProcess> {
    const relay = await RelayProcess.start((cleanUp) => this.cleanUps.set(id, cleanUp), {
      data: this.data[id],
      port: this.relays.get(id)?.port ?? 0,
      wrapper: this.options.wrapper?.(id) ?? [],
      args: this.clusterArgs(id),
    })
    this.relays.set(id, relay)
    return relay
  }

  /** From now on the links to a relay lead to another one. */
  connectTo(id: RelayId, port: number): void {
    this.impostors.set(id, port)
  }

  /** The last that each of them said. */
  get output(): string {
    return RELAYS.map((id) => `${id}: ${this.relays.get(id)?.output.slice(-OUTPUT_CHARS)}`).join('\n')
  }

  clusterArgs(id: RelayId): string[] {
    const peers = others(id).flatMap((peer) => ['--peer', `${peer}=${this.links.get(`${id}>${peer}`)!.url}`])
    return ['--id', id, '--strong', this.options.prefix, ...peers]
  }

  /** What is between two relays, whichever of them connects. */
  cut(a: RelayId, b: RelayId): void {
    this.link(a, b).cut()
    this.link(b, a).cut()
  }

  /** Nothing that one relay sends reaches the other, on whichever connection. */
  hold(from: RelayId, to: RelayId): void {
    this.link(from, to).hold('there')
    this.link(to, from).hold('back')
  }

  delay(a: RelayId, b: RelayId, milliseconds: number): void {
    this.link(a, b).delay(milliseconds)
    this.link(b, a).delay(milliseconds)
  }

  reset(a: RelayId, b: RelayId): void {
    this.link(a, b).reset()
    this.link(b, a).reset()
  }

  heal(): void {
    for (const link of this.links.values()) link.heal()
  }

  private link(from: RelayId, to: RelayId): CutLink {
    return this.links.get(`${from}>${to}`)!
  }
}

const OUTPUT_CHARS = 2_000

export function others(id: RelayId): RelayId[] {
  return RELAYS.filter((other) => other !== id)
}
