import { type Server, stopNothing } from './server.js'

/** The part of @hocuspocus/server that is used here; it is no dependency, so its own types are not at hand. */
interface HocuspocusModule {
  readonly Server: new (options: {
    readonly port: number
    readonly address: string
    readonly quiet: boolean
    readonly stopOnSignals: boolean
  }) => { listen(): Promise<unknown>; readonly address: { readonly port: number } }
}

const NODE_MAJOR_MIN = 22

/** Why Hocuspocus cannot take part; undefined where it can. */
export async function whyNoHocuspocus(): Promise<string | undefined> {
  const node = process.versions.node
  if (Number.parseInt(node, 10) < NODE_MAJOR_MIN) return `it needs Node ${NODE_MAJOR_MIN}, this is ${node}`
  try {
    await importHocuspocus()
    return undefined
  } catch (error) {
    return `@hocuspocus/server cannot be imported: ${error instanceof Error ? error.message.split('\n')[0] : error}`
  }
}

/** @hocuspocus/server without extensions, so without persistence. */
export async function startHocuspocus(): Promise<Server> {
  const { Server } = await importHocuspocus()
  const server = new Server({ port: 0, address: '127.0.0.1', quiet: true, stopOnSignals: false })
  await server.listen()
  return { port: server.address.port, stop: stopNothing }
}

async function importHocuspocus(): Promise<HocuspocusModule> {
  // In a variable: the compiler would ask for a package that need not be there.
  const name: string = '@hocuspocus/server'
  return (await import(name)) as HocuspocusModule
}
