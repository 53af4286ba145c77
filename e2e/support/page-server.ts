import type { AddressInfo } from 'node:net'
import { buildPage, servePage } from '../../demo/dist/start/page.js'

/** Builds the demo's page once and serves it while the tests run. Each test names its relay in the URL. */
export default async function serve(): Promise<() => Promise<void>> {
  const server = await servePage(buildPage([0]), 0)
  process.env.SKEIN_PAGE = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
}
