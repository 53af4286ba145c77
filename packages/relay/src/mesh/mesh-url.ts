import { spaceNameFromPath, spaceNameToPath } from '@skein/protocol'

/** Where the rooms of a space at two relays are linked, on the port of the relay. */
const MESH_PATH = '/v1/mesh/'

/** Who links its room, and of which cluster it believes to be. */
export interface MeshClaim {
  readonly space: string
  readonly cluster: string
  readonly member: string
  readonly store: string
}

export function isMeshPath(url: string): boolean {
  return url.startsWith(MESH_PATH)
}

export function meshUrl(address: string, { space, ...claim }: MeshClaim): URL {
  const url = new URL(address)
  url.pathname = `${MESH_PATH}${spaceNameToPath(space)}`
  for (const [name, value] of Object.entries(claim)) url.searchParams.set(name, value)
  return url
}

/** @throws ProtocolError for a space name that is none */
export function readMeshUrl(url: string): MeshClaim {
  const [path = '', query = ''] = url.split('?', 2)
  const params = new URLSearchParams(query)
  const of = (name: string) => params.get(name) ?? ''
  const space = spaceNameFromPath(path.slice(MESH_PATH.length - 1))
  return { space, cluster: of('cluster'), member: of('member'), store: of('store') }
}
